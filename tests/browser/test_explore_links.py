"""Explore's URL restores the request; what is wrong in a link or a field is reported in one sentence."""

from urllib.parse import urlsplit

import numpy as np
import pytest

from cfg_core.serving.engine import Engine

from .conftest import Open
from .explore_page import QUICK, assert_shows, canvas, class_position, open_setting, wait_until_idle


def test_a_copied_link_restores_everything(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page("?class=8&w=0.25&seed=11&samples=4&sampler=ddim&steps=3&kept=1"))
    state = {"class": "8", "w": "0.25", "seed": "11", "samples": "4", "sampler": "ddim", "steps": "3"}
    assert_shows(page, engine, **state, rule="cfg", model=engine.checkpoint.hash, kept="1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="copy link").click()
    page.get_by_role("button", name="link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    other = wait_until_idle(open_page("?" + urlsplit(link).query))
    assert other.url == link
    assert_shows(other, engine, **state)
    assert other.locator(".explore").get_by_role("slider", name="class").get_attribute("aria-valuetext") == "Bag"
    assert other.locator(".explore").get_by_label("noise", exact=True).input_value() == "11"
    assert other.locator(".explore .sampler").input_value() == "ddim"
    for pane in ("unguided", "guided"):
        assert np.array_equal(canvas(other, pane), canvas(page, pane))


def test_a_malformed_link_gets_a_sentence_and_the_defaults(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page("?class=banana&w=nan&seed=x&steps=0&samples=1"))
    assert page.get_by_role("alert").inner_text() == (
        "In this link, class must be a whole number from 0 to 9, got 'banana'; w must be a number from -1 to 8, got "
        "nan; seed must be a whole number from 0 to 4294967295, got 'x'; steps must be a whole number from 1 to 1024, "
        "got 0."
    )
    assert_shows(page, engine, **{"class": "0", "w": "3", "seed": "7", "steps": "12", "samples": "1"})
    page.mouse.click(*class_position(page, "Coat"))
    assert_shows(page, engine, **{"class": "4"})
    assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize(("field", "value", "kept"), [("steps", "0", "3"), ("seed", "x", "7"), ("seed", "", "7")])
def test_a_bad_value_in_a_field_gets_a_sentence(
    open_page: Open, engine: Engine, field: str, value: str, kept: str
) -> None:
    page = wait_until_idle(open_page(QUICK))
    control = page.locator(f".explore >> input.{field}")
    if field == "steps":
        open_setting(page, "samplers")
    control.fill(value)
    control.press("Enter")  # the focus stays
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text().startswith(f"{field} must be a whole number from")
    assert control.input_value() == kept
    assert_shows(page, engine, **{field: kept})
    page.get_by_role("slider", name="guidance strength").press("ArrowRight")
    assert_shows(page, engine, w="3.1")
    assert page.get_by_role("alert").count() == 0
