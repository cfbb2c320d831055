"""Guidance Lab: the entry point, on a laptop and on Spaces. Composition only.

python app.py [--checkpoint FOLDER_OR_HUB_ID] [--device cpu] [--host 0.0.0.0] [--port 7860] [--share]
"""

import argparse
import logging
import os
import sys
from pathlib import Path

CHECKPOINT = Path(__file__).parent / "checkpoints" / "fashion-mnist"


def parser() -> argparse.ArgumentParser:
    """The command line. What is not said is left to Gradio, and so to its GRADIO_* variables."""
    p = argparse.ArgumentParser("app.py", description="See classifier-free diffusion guidance.")
    p.add_argument("--checkpoint", default=str(CHECKPOINT), help="a folder, or a Hub name owner/name")
    p.add_argument("--device", help="cpu, cuda or mps; by default the best there is")
    p.add_argument("--host", help="address to listen at (GRADIO_SERVER_NAME)")
    p.add_argument("--port", type=int, help="port to listen at (GRADIO_SERVER_PORT)")
    p.add_argument("--share", action="store_true", default=None, help="a public link (GRADIO_SHARE)")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Start the engine, build the page over it, serve it until interrupted."""
    p = parser()
    options = p.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

    from cfg_core import hub
    from cfg_core.checks import number
    from cfg_core.engine import Engine

    try:
        if options.port is not None:
            number("port", options.port, 0, 65535, whole=True)
        engine = Engine(hub.load(options.checkpoint, hub.device(options.device)))
    except ValueError as error:
        p.error(str(error))

    from cfg_core.ui.page import build, launch_options

    page = build(engine)
    try:
        page.launch(server_name=options.host, server_port=options.port, share=options.share, **launch_options())
    except OSError as error:
        sys.exit(f"app.py: error: {error}")
    finally:
        engine.close()


if __name__ == "__main__":
    main()
