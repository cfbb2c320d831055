"""The controls of Explore: whatever is on the canvas is, bit for bit, what the sampling loop gives."""

import base64
from dataclasses import replace

import numpy as np

from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine

from .conftest import Open
from .explore_page import (
    BELOW,
    QUICK,
    RECORD,
    RUNGS,
    assert_shows,
    canvas,
    class_position,
    frames,
    open_setting,
    readings,
    thumb_position,
    wait_until_idle,
)


def test_the_page_opens_with_samples(open_page: Open, engine: Engine) -> None:
    page = open_page()
    request = assert_shows(page, engine)
    assert request == GridRequest(engine.checkpoint.hash, (0,))
    assert (
        page.locator(".explore >> .pane.guided canvas").get_attribute("aria-label")
        == "16 guided samples of T-shirt at w = 3"
    )
    assert page.locator(".explore >> .rail li").all_inner_texts() == [*engine.checkpoint.config.classes, "All"]
    assert not np.array_equal(canvas(page, "unguided"), canvas(page, "guided"))


def test_dragging_w_never_shows_a_picture_under_the_wrong_w(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page("?samples=1&steps=3"))
    before = assert_shows(page, engine)
    page.evaluate(RECORD)
    page.mouse.move(*thumb_position(page, 3))
    page.mouse.down()
    for w in np.linspace(3, 7, 30):  # fast
        page.mouse.move(*thumb_position(page, w))
    for w in (0.5, 5, 1.7):  # with rests, the button held
        page.mouse.move(*thumb_position(page, w))
        page.wait_for_function("w => document.querySelector('.guided canvas').dataset.w == w", arg=w)
    page.mouse.move(*thumb_position(page, 6.2), steps=20)
    assert_shows(page, engine, w="6.2")  # the last position is not lost, though nothing has been released
    page.mouse.up()
    assert_shows(page, engine, w="6.2")
    shown = page.evaluate("record()")
    assert {"3", "0.5", "5", "1.7", "6.2"} <= {each["w"] for each in shown}
    for each in shown:
        at = frames(engine.checkpoint, replace(before, w=(float(each["w"]),)))[int(each["evaluations"]) - 1]
        assert base64.b64decode(each["pixels"]) == at.tobytes(), each["caption"]
        step = "" if each["done"] == "true" else f"step {each['evaluations']} of 3 · "
        assert each["caption"].startswith(f"{step}w = ")
        assert float(each["caption"].removeprefix(f"{step}w = ")) == float(each["w"])


def test_the_class_by_click_drag_and_keys(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page("?samples=1&steps=1"))
    page.mouse.click(*class_position(page, "Bag"))
    assert_shows(page, engine, **{"class": "8"})
    page.mouse.move(*class_position(page, "Trouser"))
    page.mouse.down()
    page.mouse.move(*class_position(page, "Coat"), steps=12)
    assert_shows(page, engine, **{"class": "4"})
    page.mouse.up()
    page.mouse.move(*class_position(page, "Boot"))  # no longer dragging
    rail = page.get_by_role("slider", name="class")
    rail.press("ArrowRight")
    assert_shows(page, engine, **{"class": "5"})
    assert rail.get_attribute("aria-valuetext") == "Sandal"
    assert page.locator(".explore >> .rail li.on").inner_text() == "Sandal"
    rail.press("Home")
    assert_shows(page, engine, **{"class": "0", "samples": "1"})


def test_touch_taps_a_class_and_a_scroll_over_the_rail_taps_none(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(
        open_page("?samples=1&steps=1", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    )
    page.touchscreen.tap(*class_position(page, "Dress"))
    assert_shows(page, engine, **{"class": "3"})
    x, y = class_position(page, "Bag")
    touch = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        *[("touchMove", [{"x": x, "y": y - d}]) for d in range(10, 160, 10)],
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("scrollY > 0")
    assert_shows(page, engine, **{"class": "3"})


def test_a_newer_request_replaces_an_older_one(open_page: Open, engine: Engine) -> None:
    page = open_page("?sampler=ancestral&steps=1000&samples=4")
    page.wait_for_function("document.querySelector('.guided canvas')?.dataset.evaluations > 1")
    steps = open_setting(page, "samplers").get_by_label("steps")
    steps.fill("2")
    steps.press("Enter")
    assert_shows(page, engine, steps="2")
    with engine.lock:
        demanded = [job.request for session in engine.sessions for job in session.jobs]
    assert all(request.steps != 1000 for request in demanded)


def test_all_classes_at_once(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page("?steps=2"))
    page.mouse.click(*class_position(page, "All"))
    request = assert_shows(page, engine, **{"class": "all", "samples": "8"})
    assert request.classes == tuple(range(10))
    for pane in ("unguided", "guided"):
        assert page.locator(f".explore >> .{pane} .names span").all_inner_texts() == list(
            engine.checkpoint.config.classes
        )
    page.mouse.click(*class_position(page, "Shirt"))
    assert_shows(page, engine, **{"class": "6", "samples": "16"})
    assert page.locator(".explore >> .names span").count() == 0


def test_seed_and_dice(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    seed = page.locator(".explore").get_by_label("noise", exact=True)
    seed.fill("123")
    seed.press("Enter")
    assert_shows(page, engine, seed="123")
    page.get_by_role("button", name="another noise").click()
    request = assert_shows(page, engine)
    assert seed.input_value() == str(request.seed)
    assert request.seed != 123


def test_w_below_zero_is_set_under_the_rule(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    slider = page.get_by_role("slider", name="guidance strength")
    slider.press("Home")
    assert_shows(page, engine, w="0")
    below = open_setting(page, "rules").get_by_label("w from −1")
    below.check()
    page.mouse.click(*thumb_position(page, -0.5, (*BELOW, *RUNGS)))
    assert_shows(page, engine, w="-0.5")
    slider.press("Home")
    unconditional = assert_shows(page, engine, w="-1")
    other = frames(engine.checkpoint, replace(unconditional, classes=(5,)))[-1]
    assert np.array_equal(canvas(page, "guided"), other), "at w = −1 the class must not matter"
    assert page.locator(".explore >> .strip button").all_inner_texts()[:3] == ["−1", "−0.5", "0"]
    below.uncheck()
    assert_shows(page, engine, w="0")


def test_sampler_steps_and_number_of_samples(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    setting = open_setting(page, "samplers")
    setting.get_by_label("sampler").select_option("EDM Heun")
    assert_shows(page, engine, sampler="heun", steps="12")
    assert setting.get_by_label("steps").input_value() == "12"
    setting.get_by_label("steps").fill("2")
    setting.get_by_label("steps").press("Tab")
    page.locator(".explore >> select.samples").select_option("9")
    assert_shows(page, engine, sampler="heun", steps="2", samples="9")


def test_a_chosen_rule_is_drawn_and_kept_in_the_link(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    setting = open_setting(page, "rules")
    setting.get_by_label("rule").select_option("classifier")
    request = assert_shows(page, engine, rule="classifier")
    assert request.rule == "classifier"
    assert setting.locator("summary b").inner_text() == "Classifier guidance ε(z, c) − w σ ∇ log p(c|z)"


def test_the_meters_show_what_the_classifier_measures_of_the_grids_shown(open_page: Open, engine: Engine) -> None:
    page = open_page("?class=8&w=4")
    request = assert_shows(page, engine)
    for pane, w in (("unguided", 0.0), ("guided", 4.0)):
        shown = engine.set_demand(engine.admit(), [replace(request, w=(w,))]).frames[0].meter
        assert shown is not None
        words = page.locator(f".explore >> .pane.{pane} .meters").inner_text()
        assert words == f"sure {shown.fidelity:.2f} · {shown.diversity:.1f} of 16 differ"
    (_, plain), (_, guided) = readings(page, "unguided"), readings(page, "guided")
    assert guided < plain
