"""Guidance Lab: the entry point, on a laptop and on Spaces. Composition only.

python app.py [--checkpoint FOLDER_OR_HUB_ID …] [--device cpu] [--host 0.0.0.0] [--port 7860] [--no-browser] [--share]
"""

import argparse
import logging
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from cfg_core.program import has_screen, print_any_text

ROOT = Path(__file__).parent
CHECKPOINTS = ROOT / "checkpoints"
FIRST_MODEL = "fashion-mnist"
MCP_EXTRA = "pip install -r requirements-mcp.txt"


def parser() -> argparse.ArgumentParser:
    """The command line. Options that are not given are left to Gradio, and so to its GRADIO_* variables."""
    p = argparse.ArgumentParser("app.py", description="See classifier-free diffusion guidance.")
    p.add_argument(
        "--checkpoint",
        nargs="+",
        default=os.environ.get("GUIDANCE_LAB_CHECKPOINTS", "").split(),
        help="folders or Hub names owner/name, offered before those that ship (GUIDANCE_LAB_CHECKPOINTS)",
    )
    p.add_argument(
        "--classifier", help="of the first model's clean images, for meters; by default CHECKPOINT-classifier"
    )
    p.add_argument("--guide", help="noise-aware classifier that guides the first model; by default CHECKPOINT-guide")
    p.add_argument(
        "--lesson",
        nargs="+",
        default=[],
        help="files NAME.md or NAME.LANGUAGE.md, offered before the lesson that ships (docs/teaching.md)",
    )
    p.add_argument("--weaker", help="weaker sibling that guides the first model; by default CHECKPOINT-weak")
    p.add_argument("--device", help="cpu, cuda or mps; by default the best there is")
    p.add_argument("--host", help="address to listen at (GRADIO_SERVER_NAME)")
    p.add_argument("--port", type=int, help="port to listen at (GRADIO_SERVER_PORT)")
    p.add_argument("--no-browser", action="store_true", help="do not open the page where there is a screen")
    p.add_argument("--share", action="store_true", default=None, help="a public link (GRADIO_SHARE)")
    p.add_argument("--mcp", action="store_true", default=None, help=f"also serve MCP tools; needs {MCP_EXTRA}")
    limits = p.add_argument_group("limits")
    limits.add_argument("--sessions", type=int, help="served at once (64); further ones queue")
    limits.add_argument("--queue", type=int, help="sessions that may queue (256)")
    limits.add_argument("--per-address", type=int, help="sessions of one client address, such as a class's (48)")
    limits.add_argument("--pictures", type=int, help="of one grid (640)")
    limits.add_argument("--steps", type=int, help="of one grid (1024)")
    limits.add_argument("--work", type=int, help="of one grid, its pictures times its evaluations (65536)")
    limits.add_argument("--api-work", type=int, help="the same, of a call of the API (16384)")
    limits.add_argument("--cache", type=int, help="megabytes of finished grids that are kept (256)")
    limits.add_argument("--samples", type=int, help="of one evaluation (64); more suits a GPU")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Start the engine, build the page over it, serve it until interrupted."""
    print_any_text()
    p = parser()
    options = p.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ["GRADIO_DEBUG"] = "0"  # with 1 launch would not return, and the connections stay without bounds
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # OpenMP threads that spin for long take a core from others

    if "SPACES_ZERO_GPU" in os.environ:
        import spaces  # noqa: F401  on ZeroGPU it must be imported before torch

    if (options.mcp or os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true") and not find_spec("mcp"):
        p.error(f"mcp needs the package mcp: {MCP_EXTRA}")

    from cfg_core.ui.connections import check_address

    try:
        check_address(options.host or os.environ.get("GRADIO_SERVER_NAME"), options.port)
    except ValueError as error:
        p.error(str(error))

    from cfg_core.checkpoints.catalog import describe_models, shipped_models
    from cfg_core.devices import choose_device, set_cpu_threads
    from cfg_core.lessons.library import read_lessons, shipped_lessons
    from cfg_core.serving.engine import Engine
    from cfg_core.serving.limits import Limits
    from cfg_core.serving.memory import keep_trimming
    from cfg_core.serving.registry import ModelRegistry, load_model
    from cfg_core.serving.zerogpu import is_zerogpu

    keep_trimming()
    set_cpu_threads()
    try:
        given = {name: value for name in Limits.__dataclass_fields__ if (value := getattr(options, name)) is not None}
        limits = Limits(**given)
        available = describe_models([*options.checkpoint, *shipped_models(CHECKPOINTS, FIRST_MODEL)])
        lessons = read_lessons(map(Path, options.lesson))
        device = choose_device("cpu" if is_zerogpu() else options.device)
        load = partial(load_model, device=device, strips=ROOT / "assets" / "strips", remote=is_zerogpu())
        beside = {name: getattr(options, name) for name in ("classifier", "guide", "weaker")}
        engine = Engine(load(available[0], **beside), limits)
        from cfg_core.ui.log_rate import bound_logs
        from cfg_core.ui.page import build, serve  # late: a bad option is refused before gradio is loaded

        page = build(ModelRegistry(engine, available, load), lessons={**lessons, **shipped_lessons(), **lessons})
    except ValueError as error:
        p.error(str(error))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a Space is stopped by it; end as at Ctrl-C
    try:
        with suppress(KeyboardInterrupt):
            address = serve(
                page,
                server_name=options.host,
                server_port=options.port,
                share=options.share,
                mcp_server=options.mcp,
                inbrowser=has_screen() and not options.no_browser,
                quiet=True,
            )
            print(f"Guidance Lab is at {address}", flush=True)
            bound_logs()
            page.block_thread()
    except OSError as error:
        sys.exit(f"app.py: error: {error}")
    finally:
        engine.close()


if __name__ == "__main__":
    main()
