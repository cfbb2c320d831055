"""The left grid shows what a person chooses, from the same noise, and the link holds both sides."""

from dataclasses import replace
from typing import Any

import numpy as np

from cfg_core.serving.engine import Engine

from .conftest import Open
from .explore_page import QUICK, canvas, frames, query, request_in_url, thumb_position, wait_until_idle


def compared_with(page: Any, engine: Engine, **fields: Any) -> str:
    """Once the page rests: the left canvas shows the request in the URL with these fields; returns its title."""
    wait_until_idle(page)
    request = request_in_url(page, engine)
    other = replace(request, **({"parameters": ()} | fields))
    page.wait_for_function("w => document.querySelector('.unguided canvas').dataset.w == w", arg=other.w[0])
    assert np.array_equal(canvas(page, "unguided"), frames(engine.checkpoint, other)[-1])
    assert np.array_equal(canvas(page, "guided"), frames(engine.checkpoint, request)[-1])
    return page.locator(".explore >> .pane.unguided figcaption b").inner_text()


def choose(page: Any, control: str, value: str) -> None:
    page.locator(f".explore >> .compare .{control}").select_option(value)


def test_another_rule_is_drawn_at_the_w_of_the_slider(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    page.locator(".explore >> .compare summary").click()
    choose(page, "vs-rule", "interval")
    assert compared_with(page, engine, rule="interval") == "Limited interval"
    page.locator(".explore >> .compare summary").click()
    page.mouse.click(*thumb_position(page, 4))
    assert compared_with(page, engine, rule="interval") == "Limited interval"
    assert query(page)["vs_rule"] == "interval"
    assert request_in_url(page, engine).rule == "cfg"


def test_a_link_restores_both_sides(open_page: Open, engine: Engine) -> None:
    page = open_page(QUICK + "&w=2&vs_sampler=ddim&vs_steps=2&vs_w=1")
    title = compared_with(page, engine, sampler="ddim", steps=2, w=(1.0,))
    assert title == "DDIM, 2 steps"
    assert "against DDIM, 2 steps at w = 1" in page.locator(".explore .sentence").inner_text()
    page.locator(".explore >> .compare summary").click()
    page.locator(".explore >> .vs-unguided").click()
    assert compared_with(page, engine, w=(0.0,)) == "unguided"
    assert not [name for name in query(page) if name.startswith("vs_")]


def test_a_comparison_that_cannot_be_is_named_and_left_out(open_page: Open, engine: Engine) -> None:
    page = open_page(QUICK + "&vs_steps=0")
    assert compared_with(page, engine, w=(0.0,)) == "unguided"
    assert page.get_by_role("alert").inner_text() == "steps must be a whole number from 1 to 1024, got 0"


def test_the_difference_is_shown_while_its_key_is_held(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    left, right = canvas(page, "unguided").astype(int), canvas(page, "guided")
    page.keyboard.down("d")
    page.wait_for_function("document.querySelector('.pane.guided b').textContent === 'difference'")
    shown = canvas(page, "guided")
    assert np.array_equal(shown[..., :3], abs(right.astype(int) - left)[..., :3])
    page.keyboard.up("d")
    page.wait_for_function("document.querySelector('.pane.guided b').textContent === 'guided'")
    assert np.array_equal(canvas(page, "guided"), right)


def test_back_and_forward_walk_through_classes_and_tabs(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    page.get_by_role("slider", name="class").press("ArrowRight")
    wait_until_idle(page)
    page.get_by_role("tab", name="Trade-off").click()
    assert query(page)["tab"] == "tradeoff"
    page.go_back()
    page.wait_for_function("document.documentElement.dataset.tab === 'explore'")
    assert query(page)["class"] == "1"
    page.go_back()
    page.wait_for_function("window.explored.class === 0")
    wait_until_idle(page)
    assert query(page)["class"] == "0"
    page.go_forward()
    page.wait_for_function("window.explored.class === 1")
