"""The command, the Python code and the notebook draw the request that they were made from."""

import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

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


def test_the_command_draws_the_request(tmp_path: Path) -> None:
    words = shlex.split(command_line(request(), SHIPPED))
    assert words[:1] == ["python"]
    out = tmp_path / "sheet.png"
    subprocess.run([sys.executable, *words[1:-1], str(out)], cwd=ROOT, check=True, capture_output=True)
    assert read_requests(out) == (request(),)


def test_the_python_code_draws_the_request(tmp_path: Path) -> None:
    code = python_code(request(), str(ROOT / SHIPPED))
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, env=environment)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), expected())


def test_the_notebook_draws_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.reads(notebook(request(), str(ROOT / SHIPPED), "Bags"), as_version=4)
    nbformat.validate(book)
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), expected())
    assert "image/png" in book.cells[-1].outputs[0].data
