"""The strip of Explore: the same noises at other w, and what a drag of w takes from it."""

import base64
import re
import threading
from dataclasses import replace
from typing import Any

import numpy as np

from cfg_core.serving.engine import Engine

from .conftest import Open
from .explore_page import (
    QUICK,
    READ,
    RECORD,
    RUNGS,
    assert_shows,
    class_position,
    frames,
    thumb_position,
    wait_until_idle,
    wait_until_strip_is_filled,
)


def test_the_strip_shows_the_same_noises_at_other_w(open_page: Open, engine: Engine) -> None:
    page = wait_until_strip_is_filled(open_page(QUICK + "&class=8"))
    request = assert_shows(page, engine)
    cells = page.locator(".explore >> .strip button")
    assert cells.all_inner_texts() == [f"{w:g}" for w in RUNGS]
    for cell, w in zip(cells.all(), RUNGS, strict=True):
        read = cell.locator("canvas").evaluate(READ)
        shown = base64.b64decode(read["data"])
        assert shown == frames(engine.checkpoint, replace(request, w=(w,)))[-1].tobytes(), w
    assert page.locator(".explore >> .strip .on").inner_text() == "3"
    cells.nth(8).click()
    assert_shows(page, engine, w="6")
    assert page.locator(".explore >> .strip .on").inner_text() == "6"


def test_dragging_through_a_filled_strip_needs_no_server(open_page: Open, engine: Engine) -> None:
    page = wait_until_strip_is_filled(open_page(QUICK, flaky=True))
    before = assert_shows(page, engine)
    page.route(re.compile("component_server"), lambda route: route.abort())
    page.evaluate(RECORD)
    page.mouse.move(*thumb_position(page, 3))
    page.mouse.down()
    for w in np.linspace(3, 7.9, 60):
        page.mouse.move(*thumb_position(page, w))
    page.wait_for_function("document.querySelector('.guided canvas').dataset.w === '8'")
    page.mouse.move(*thumb_position(page, 1.1))
    page.wait_for_function("document.querySelector('.guided canvas').dataset.w === '1'")
    for each in page.evaluate("record()"):
        at = frames(engine.checkpoint, replace(before, w=(float(each["w"]),)))[-1]
        assert base64.b64decode(each["pixels"]) == at.tobytes(), each["caption"]
    page.unroute(re.compile("component_server"))
    page.mouse.up()
    assert_shows(page, engine, w="1.1")  # and then the exact w, where the thumb_position rests


def test_a_drag_that_ends_on_a_w_of_the_ladder_is_in_the_link(open_page: Open, engine: Engine) -> None:
    page = wait_until_strip_is_filled(open_page(QUICK))
    page.mouse.move(*thumb_position(page, 3))
    page.mouse.down()
    page.mouse.move(*thumb_position(page, 3.9))
    page.mouse.move(*thumb_position(page, 4))
    page.mouse.up()
    assert_shows(page, engine, w="4")
    assert page.locator(".explore >> .visually-hidden").inner_text() == "T-shirt, w = 4: 4 samples drawn."


def test_after_a_change_of_class_the_strip_shows_nothing_old(open_page: Open, engine: Engine, monkeypatch: Any) -> None:
    page = wait_until_strip_is_filled(open_page(QUICK + "&seed=41"))
    predict, go_on = engine.checkpoint.denoiser.predict, threading.Event()
    monkeypatch.setattr(engine.checkpoint.denoiser, "predict", lambda *a: (go_on.wait(30), predict(*a))[1])
    page.mouse.click(*class_position(page, "Boot"))
    page.wait_for_function("document.querySelectorAll('.strip .missing').length === 10")
    assert page.locator(".explore >> .strip canvas").evaluate_all("all => all.every(canvas => canvas.width === 1)")
    assert page.locator(".explore >> .stale").count() == 2
    go_on.set()
    wait_until_strip_is_filled(page)
    assert page.locator(".explore >> .strip .missing").count() == page.locator(".explore >> .stale").count() == 0


def test_back_and_forth_between_classes_ends_where_it_should(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK + "&seed=43"))
    for stop in ("Bag", "Coat", "Bag", "Coat", "Bag", "T-shirt", "Bag", "T-shirt"):
        page.mouse.click(*class_position(page, stop))
    assert_shows(page, engine, **{"class": "0"})
    wait_until_strip_is_filled(page)
    assert_shows(page, engine, **{"class": "0"})


def test_a_sample_is_shown_large_over_all_w(open_page: Open, engine: Engine) -> None:
    page = wait_until_strip_is_filled(open_page(QUICK))
    request = assert_shows(page, engine)

    def cell(n: int) -> np.ndarray:
        read = page.locator(".explore >> .strip canvas").nth(n).evaluate(READ)
        return np.frombuffer(base64.b64decode(read["data"]), np.uint8).reshape(read["height"], read["width"], 4)

    def sample(w: float, row: int, column: int) -> np.ndarray:
        whole = frames(engine.checkpoint, replace(request, w=(w,)))[-1]
        return whole[29 * row : 29 * row + 28, 29 * column : 29 * column + 28]

    whole = cell(9)
    box = page.locator(".explore >> .guided canvas").bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    page.locator(".explore >> .guided .mark").wait_for()
    page.wait_for_function("document.querySelector('.strip canvas').width === 28")
    assert np.array_equal(cell(9), sample(8, 0, 1))
    page.mouse.move(0, 0)
    page.wait_for_function("document.querySelector('.strip canvas').width > 28")
    assert np.array_equal(cell(9), whole)
    page.locator(".explore >> .w").focus()
    page.locator(".explore >> .guided canvas").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.strip canvas').width === 28")
    assert np.array_equal(cell(0), sample(0, 1, 0))
    assert page.locator(".explore >> .visually-hidden").inner_text() == "sample 3 of 4, shown over all w"
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.strip canvas').width > 28")
