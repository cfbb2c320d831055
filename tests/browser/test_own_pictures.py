"""A folder of pictures becomes a model on the page, through the three commands that README.md has for it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from cfg_core.data.datasets import load_dataset
from tests.test_app import ROOT, free_port

from .explore_page import wait_until_idle


def photographs(folder: Path) -> Path:
    """Two classes of the synthetic set as files of another size, twenty of each."""
    known = load_dataset("synthetic")
    for name in ("disc", "cross"):
        (folder / name).mkdir(parents=True)
        chosen = known.images[known.labels == known.classes.index(name)][:20, 0].numpy()
        for n, pixels in enumerate(chosen):
            Image.fromarray(pixels).resize((40, 30)).save(folder / name / f"{n}.jpg")
    return folder


def run(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "cfg_core", *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_of_pictures_becomes_a_model_on_the_page(browser: Any, tmp_path: Path) -> None:
    pictures, mine, port = photographs(tmp_path / "pictures"), tmp_path / "mine", free_port()
    assert "2 classes, 16×16, grey" in run("data", pictures, "--size", 16)
    small = ("--images", 2000, "--batch", 50, "--widths", "16,32", "--encoder", "1,1", "--decoder", "1,1")
    run("train", "--data", pictures, "--size", 16, "--run", mine, *small)
    command = [sys.executable, "app.py", "--no-browser", "--checkpoint", str(mine / "checkpoint"), "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as app:
        try:
            assert app.stdout is not None
            assert any("Guidance Lab is at" in line for line in app.stdout)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/?samples=4&steps=3")
            wait_until_idle(page)
            assert page.locator(".rail li").all_inner_texts() == ["cross", "disc", "All"]
            offered = page.locator("select.models").locator("option").all_inner_texts()
            assert offered[:2] == ["mine", "Fashion-MNIST, grey"]
            page.locator("select.models").select_option(label="Fashion-MNIST, grey")
            page.wait_for_function("document.querySelectorAll('.rail li').length === 11")
            wait_until_idle(page)
            page.close()
        finally:
            app.terminate()
