"""The presenter's view: large type, no chrome, nothing that jumps, keys and the blank."""

from typing import Any

import pytest

from .conftest import Open
from .explore_page import QUICK, query, wait_until_idle

SMALLEST = """() => Math.min(...[...document.querySelectorAll('.lab:not(.blank) *')]
  .filter(node => node.checkVisibility({visibilityProperty: true}) && !node.closest('.visually-hidden, .strip')
    && [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
  .map(node => parseFloat(getComputedStyle(node).fontSize)))"""


def boxes(page: Any) -> list[dict[str, float]]:
    return [page.locator(f".explore {part}").bounding_box() for part in (".pane.guided canvas", ".track")]


@pytest.mark.parametrize(("width", "height", "least"), [(1920, 1080, 28), (1024, 768, 20)])
def test_type_is_large_and_nothing_jumps_from_step_to_step(
    open_page: Open, width: int, height: int, least: int
) -> None:
    page = open_page("?view=presenter&lesson=guidance&at=2&class=8&w=0", viewport={"width": width, "height": height})
    wait_until_idle(page)
    first = boxes(page)
    for _ in range(10):
        assert page.evaluate(SMALLEST) >= least
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        words = page.locator(".lesson section")
        assert words.evaluate("node => node.scrollHeight <= node.clientHeight + 2"), words.inner_text()
        if page.evaluate("document.documentElement.dataset.asks") != "guided":
            assert boxes(page) == first
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "!document.documentElement.dataset.asks === Boolean(document.querySelector('.lesson .reveal').textContent)"
        )
    assert not page.locator(".shell").is_visible()


def test_a_clicker_steps_and_blanks(open_page: Open) -> None:
    page = open_page("?view=presenter&lesson=guidance&at=1")
    wait_until_idle(page)
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    page.wait_for_function("location.search.includes('at=2')")
    page.keyboard.press("PageUp")
    page.wait_for_function("location.search.includes('at=1')")
    for visible in (True, False):
        page.keyboard.press("b")
        assert page.locator(".blank").is_visible() == visible


def test_p_opens_and_closes_it_and_the_picture_that_was_pressed_is_marked(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    page.keyboard.press("p")
    page.locator(".shell").wait_for(state="hidden")
    assert query(page)["view"] == "presenter"
    assert page.locator(".explore .sentence").is_visible()
    page.locator(".explore .pane.guided canvas").click(position={"x": 10, "y": 10})
    assert page.locator(".explore .pressed:visible").count() == 2
    page.keyboard.press("p")
    page.locator(".shell").wait_for()
    assert "view" not in query(page)
