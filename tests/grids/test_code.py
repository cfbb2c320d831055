"""The command, the Python code and the notebook draw the request that they were made from."""

import shlex
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from cfg_core.__main__ import main
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.grids.code import command_line, notebook, python_code
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet, read_requests

ROOT = Path(__file__).parents[2]
SHIPPED = "checkpoints/fashion-mnist"


def request() -> GridRequest:
    digest = load_checkpoint(ROOT / SHIPPED).hash
    parameters = (("eta", 0.5), ("log_snr_low", -3.0))
    return GridRequest(digest, (8, 1), (0.5, 2.0), 2, 11, "ddim", 3, "interval", (*parameters, ("log_snr_high", 2.5)))


def expected() -> np.ndarray:
    checkpoint = load_checkpoint(ROOT / SHIPPED)
    return np.asarray(draw_sheet(request(), draw_grid(checkpoint.denoiser, request()), checkpoint.config.classes))


def test_the_command_draws_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(command_line(request(), SHIPPED))
    assert words[:3] == ["python", "-m", "cfg_core"]
    out = tmp_path / "sheet.png"
    monkeypatch.chdir(ROOT)
    main([*words[3:-1], str(out)])
    assert read_requests(out) == (request(),)


def test_the_python_code_draws_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(python_code(request(), str(ROOT / SHIPPED)), {})
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), expected())


def test_the_notebook_draws_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.reads(notebook(request(), str(ROOT / SHIPPED), "Bags"), as_version=4)
    nbformat.validate(book)
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), expected())
    assert "image/png" in book.cells[-1].outputs[0].data
