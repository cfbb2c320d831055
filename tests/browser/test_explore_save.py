"""What is taken away from Explore opens elsewhere and is what was shown."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.sheet import read_requests
from cfg_core.serving.engine import Engine
from cfg_core.ui.saving import KINDS

from .conftest import Open
from .explore_page import QUICK, request_in_url, wait_until_idle


def save(page, title: str, folder: Path) -> Path:
    if not page.locator(".explore >> details.save").get_attribute("open"):
        page.locator(".explore >> details.save").evaluate("node => { node.open = true; }")
    with page.expect_download() as download:
        page.locator(".explore >> details.save").get_by_text(title, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_everything_on_the_menu_can_be_saved(open_page: Open, engine: Engine, tmp_path: Path) -> None:
    page = wait_until_idle(open_page(QUICK + "&class=8&w=2"))
    request = request_in_url(page, engine)
    saved = {name: save(page, kind.title, tmp_path) for name, kind in KINDS.items()}
    assert saved["grid"].name == "bag-w2.png"
    assert read_requests(saved["grid"]) == (request,)
    assert read_requests(saved["both"])[0].w == (0.0, 2.0)
    assert read_requests(saved["strip"])[0].w == (0, 0.5, 1, 2, 3, 4, 6, 8)
    shown = draw_grid(engine.checkpoint.denoiser, request)
    assert np.array_equal(np.asarray(Image.open(saved["picture"])), shown[0, 0, 0, ..., 0])
    for name, frames in (("denoising-webp", 3), ("denoising-gif", 3), ("sweep-webp", 17), ("sweep-gif", 17)):
        assert Image.open(saved[name]).n_frames == frames, name
    for name in ("command", "python", "notebook"):
        assert "cfg_core" in saved[name].read_text(encoding="utf-8"), name


def test_the_measured_curve_is_saved_as_a_drawing(open_page: Open, tmp_path: Path) -> None:
    page = wait_until_idle(open_page(QUICK))
    text = save(page, "the measured curve, SVG", tmp_path).read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "var(" not in text
    alone = page.context.new_page()
    alone.set_content(text)
    assert Image.open(BytesIO(alone.locator("svg").screenshot())).convert("L").getextrema() != (255, 255)


def test_another_rule_on_the_left_is_in_the_file_too(open_page: Open, engine: Engine, tmp_path: Path) -> None:
    page = wait_until_idle(open_page(QUICK + "&vs_rule=interval"))
    saved = save(page, KINDS["both"].title, tmp_path)
    assert [request.rule for request in read_requests(saved)] == ["interval", "cfg"]
