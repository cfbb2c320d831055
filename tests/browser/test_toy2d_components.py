"""The 2-D lab on one page: components, the board's scale, what follows Explore, resets, and its layout."""

from collections.abc import Iterator
from typing import Any

import pytest

from cfg_core.toy2d.scene import HALVES, REACH, Scene

from .explore_page import QUICK
from .toy2d_page import IDLE, TAB, holds, linked, settled

FAR = "&toy2d_means=2.5,2.5,1.5,1.5,1.5,1.5&toy2d_w=8"

PARTS = """() => ['.board canvas', 'aside', '.strength', 'footer'].map(part => {
  const {left, right, top, bottom} = document.querySelector('.toy2d ' + part).getBoundingClientRect();
  return {part, left, right, top, bottom};
})"""

CUT_OFF = """() => [...document.querySelectorAll('.toy2d :is(button, label, p, output, figcaption)')]
  .filter(node => node.offsetParent && !node.matches('.visually-hidden') && node.scrollWidth > node.clientWidth + 1
    && getComputedStyle(node).display !== 'inline')
  .map(node => [node.className, node.textContent, node.scrollWidth, node.clientWidth])"""


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Iterator[Any]:
    """One page for all tests of this file, which watch for errors together."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.address = address
    yield page
    context.close()
    assert errors == []


def opened(page: Any, query: str = TAB) -> Any:
    page.goto(page.address + query)
    return settled(page)


def lab(page: Any, selector: str) -> Any:
    return page.locator(f".toy2d {selector}")


def test_components_are_added_and_removed_by_buttons_keys_and_double_click(page: Any) -> None:
    opened(page)
    lab(page, ".add").press("Enter")
    settled(page)
    two = linked(page)
    assert two.owners == (0, 1, 2, 0)
    holds(page, means=two.means, owners=two.owners)
    assert lab(page, ".count").inner_text() == "2 components of class A"
    assert lab(page, ".handles button").all_inner_texts() == ["A1", "B", "C", "A2"]
    board = lab(page, "canvas").bounding_box()
    page.mouse.dblclick(board["x"] + 0.9 * board["width"], board["y"] + 0.5 * board["height"])
    settled(page)
    three = linked(page)
    assert three.owners == (0, 1, 2, 0, 0)
    assert three.means[4] == pytest.approx((REACH, 0), abs=0.02), "no further than it may be"
    page.reload()
    holds(page, means=three.means, owners=three.owners)
    handle = lab(page, ".handles button").nth(3)
    assert "component 2 of 3" in handle.get_attribute("aria-label")
    handle.press("ArrowUp")
    settled(page)
    assert linked(page).means[3] == pytest.approx((two.means[3][0], two.means[3][1] + 0.1))
    handle.press("Delete")
    settled(page)
    assert linked(page).means == (*three.means[:3], three.means[4])
    lab(page, ".remove").press("Enter")
    holds(page)
    assert "toy2d_means" not in page.url


def test_how_many_components_there_may_be_is_said_by_the_server(page: Any) -> None:
    opened(page)
    lab(page, ".remove").click()
    lab(page, ".message:visible").wait_for()
    assert lab(page, ".message").inner_text() == "class A must have 1 to 4 components, got 0"
    holds(page)
    for _ in range(4):
        lab(page, ".add").click()
        settled(page)
    assert lab(page, ".message").inner_text() == "class A must have 1 to 4 components, got 5"
    assert lab(page, ".handles button").count() == 6
    assert lab(page, ".count").inner_text() == "4 components of class A"


def test_the_board_scales_so_that_every_sample_is_in_sight_and_says_how_far_it_reaches(page: Any) -> None:
    opened(page)
    assert "board from −3.5 to 3.5" in lab(page, "figcaption").inner_text()
    opened(page, TAB + FAR)
    half, outside = lab(page, "canvas").evaluate("({dataset}) => [+dataset.half, +dataset.outside]")
    assert half > HALVES[0]
    assert outside == 0
    assert f"board from −{half:g} to {half:g}" in lab(page, "figcaption").inner_text()
    board, handle = lab(page, "canvas").bounding_box(), lab(page, ".handles button").first.bounding_box()
    middle = handle["x"] + handle["width"] / 2 - board["x"]
    assert middle == pytest.approx((REACH + half) / 2 / half * board["width"], abs=2), "handles keep to the scale"
    lab(page, ".moment").press("Home")
    page.wait_for_function("() => document.querySelector('.toy2d canvas').dataset.moment === '0'")
    assert lab(page, "canvas").get_attribute("data-outside") == "0"


def test_w_and_class_are_those_of_explore_until_they_are_chosen_here(page: Any) -> None:
    page.goto(page.address + QUICK + "&w=1.5&class=4&toy2d_steps=10&toy2d_points=100")
    page.wait_for_function("window.explored")
    page.get_by_role("tab", name="2-D lab").click()
    shown = """([w, label]) => document.querySelector('.toy2d')?.dataset.state === 'idle'
      && document.querySelector('.toy2d canvas').dataset.w === w
      && document.querySelector('.toy2d canvas').dataset.class === label"""
    page.wait_for_function(shown, arg=["1.5", "1"])
    assert "toy2d_w" not in page.url
    assert lab(page, ".follows").inner_text() == ("w and class follow Explore; its classes count as A, B, C in turn.")
    page.get_by_role("tab", name="Explore").click()
    page.evaluate("dispatchEvent(new CustomEvent('lab:explore', {detail: {w: 4}}))")
    page.get_by_role("tab", name="2-D lab").click()
    page.wait_for_function(shown, arg=["4", "1"])
    lab(page, ".w").press("End")
    page.wait_for_function(shown, arg=["8", "1"])
    assert "w was chosen here" in lab(page, ".follows").inner_text()
    page.get_by_role("tab", name="Explore").click()
    page.evaluate("dispatchEvent(new CustomEvent('lab:explore', {detail: {w: 2, class: 5}}))")
    page.get_by_role("tab", name="2-D lab").click()
    page.wait_for_function(shown, arg=["8", "2"])
    assert "toy2d_w=8" in page.url
    page.reload()
    page.wait_for_function(shown, arg=["8", "2"])
    lab(page, ".resets button[value=followed]").press("Enter")
    page.wait_for_function(shown, arg=["2", "2"])


def test_resets_undo_the_components_w_or_everything(page: Any) -> None:
    means = ((0.5, 1.0), (-0.87, -0.5), (0.87, -0.5))
    opened(page, TAB + "&toy2d_means=0.5,1,-0.87,-0.5,0.87,-0.5&toy2d_w=5&toy2d_sampler=ddim&toy2d_eta=0.5")
    ddim = {"sampler": "ddim", "parameters": (("eta", 0.5),)}
    holds(page, means=means, w=5.0, **ddim)
    lab(page, ".resets button[value=components]").click()
    holds(page, w=5.0, **ddim)
    lab(page, ".resets button[value=followed]").click()
    holds(page, **ddim)
    lab(page, ".resets button[value=all]").click()
    page.wait_for_function(IDLE)
    assert linked(page) == Scene()
    assert page.url.endswith("?tab=toy2d")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (1440, 900), (1920, 1080), (2560, 1440), (1024, 768), (390, 844)]
)
def test_it_fits(page: Any, width: int, height: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": height})
    opened(page, TAB + FAR)
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] <= width
    assert size[1] <= height or width <= 1024
    assert page.evaluate(CUT_OFF) == []
    parts = page.evaluate(PARTS)
    for a, b in ((a, b) for n, a in enumerate(parts) for b in parts[n + 1 :]):
        apart = a["right"] <= b["left"] + 1 or a["bottom"] <= b["top"] + 1 or b["bottom"] <= a["top"] + 1
        assert apart, (a, b)
    assert parts[0]["bottom"] - parts[0]["top"] >= min(0.6 * height, 0.9 * width), "the board is the page"
