"""docs/api.md: its Python and its shell commands run as they stand, over the shipped model."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.grids.sheet import read_requests
from cfg_core.serving.engine import Engine
from cfg_core.serving.registry import ModelRegistry, load_model
from cfg_core.ui.page import build, serve

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:7860"

try:
    import mcp
except ImportError:
    mcp = None


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page over the shipped model, with MCP tools where their extra is installed."""
    info = describe_model(ROOT / "checkpoints" / "fashion-mnist")
    engine = Engine(load_model(info, torch.device("cpu")))
    page = build(ModelRegistry(engine, [info]))
    yield serve(page, quiet=True, server_name="127.0.0.1", mcp_server=mcp is not None)
    page.close(verbose=False)
    engine.close()


@pytest.fixture
def here(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """An example → the same against the page, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def here(example: str) -> str:
        assert ADDRESS in example
        return example.replace(ADDRESS, address.rstrip("/"))

    return here


def test_python_draws_a_grid(here: Callable[[str], str], tmp_path: Path) -> None:
    exec(here(examples("python")[0]), {})
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.size == (8 * 28, 2 * 28)


def test_python_is_told_the_progress(here: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    exec(here(examples("python")[1]), {})
    *progress, meters = capsys.readouterr().out.splitlines()
    assert re.search(r"denoising \d+ of 256", "\n".join(progress))
    assert "'probability'" in meters


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sh")), reason="needs a shell and curl")
def test_the_shell_gets_a_sheet_and_a_reply(here: Callable[[str], str], tmp_path: Path) -> None:
    for example in examples("sh"):
        subprocess.run(["sh", "-ec", here(example)], check=True, timeout=300)
    [request] = read_requests(tmp_path / "bags.png")
    assert (request.classes, request.w) == ((8,), (0.0, 4.0))
    assert (tmp_path / "reply.txt").read_text(encoding="utf-8").count("event: complete") == 1


@pytest.mark.skipif(mcp is None, reason="needs the package mcp: pip install -r requirements-mcp.txt")
def test_an_mcp_client_lists_the_tools_and_draws_a_sheet(
    here: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(here(examples("python")[2]), {})
    tools, told = capsys.readouterr().out.splitlines()
    assert tools == "['grid', 'models', 'stats']"
    [request] = read_requests(tmp_path / "bags.png")
    assert (request.classes, request.w) == ((8,), (0.0, 4.0))
    assert '"classes": ["Bag"]' in told
    assert '"png"' not in told
