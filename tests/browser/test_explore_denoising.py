"""Explore's denoising slider and its playback show every step of the sampling loop."""

from dataclasses import replace

import numpy as np

from cfg_core.grids.drawing import begin_grid, pixels
from cfg_core.sampling.loop import generate
from cfg_core.serving.engine import Engine

from .conftest import Open
from .explore_page import (
    QUICK,
    RECORD,
    assert_shows,
    canvas,
    class_position,
    frames,
    open_setting,
    request_in_url,
    sheet,
    wait_until_idle,
    wait_until_strip_is_filled,
)


def test_the_denoising_can_be_scrubbed_and_played(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page("?samples=4&steps=6"))
    request = assert_shows(page, engine)
    scrubber = page.get_by_role("slider", name="denoising")
    scrubber.press("Home")
    page.wait_for_function("document.querySelector('.guided canvas').dataset.evaluations === '1'")
    scrubber.press("ArrowRight")
    for pane, w in (("unguided", 0.0), ("guided", 3.0)):
        page.wait_for_function(
            "pane => document.querySelector(pane).dataset.evaluations === '2'", arg=f".{pane} canvas"
        )
        assert np.array_equal(canvas(page, pane), frames(engine.checkpoint, replace(request, w=(w,)))[1])
        assert page.locator(f".explore >> .{pane} .shown").inner_text() == f"step 2 of 6 · w = {w:g}"
    page.evaluate(RECORD)
    page.locator(".explore >> .w").focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.guided canvas').dataset.evaluations === '6'")
    assert {"2", "3", "4", "5", "6"} <= {each["evaluations"] for each in page.evaluate("record()")}
    assert_shows(page, engine)


def test_the_denoising_plays_after_the_session_expired(open_page: Open, engine: Engine) -> None:
    page = wait_until_strip_is_filled(open_page(QUICK))
    for token in engine.sessions.tokens:  # as after a long silence
        engine.leave(token)
    page.get_by_role("slider", name="denoising").press("Home")
    page.locator(".explore >> .guided canvas[data-evaluations='1']").wait_for()
    request = request_in_url(page, engine)
    assert np.array_equal(canvas(page, "guided"), frames(engine.checkpoint, request)[0])


def test_with_reduced_motion_nothing_moves_by_itself(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK, reduced_motion="reduce"))
    page.evaluate(RECORD)
    page.mouse.click(*class_position(page, "Bag"))
    assert_shows(page, engine, **{"class": "8"})
    assert {each["done"] for each in page.evaluate("record()")} == {"true"}
    page.get_by_role("button", name="play the denoising").click()
    page.wait_for_function("document.querySelector('.guided canvas').dataset.evaluations === '1'")


def test_a_long_grid_says_how_long_and_can_be_cancelled(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    setting = open_setting(page, "samplers")
    setting.get_by_label("sampler").select_option("ancestral")
    setting.get_by_label("steps").fill("1000")
    setting.get_by_label("steps").press("Enter")
    page.wait_for_function("document.querySelector('.explore .cost').textContent.includes('s more')")
    page.get_by_role("button", name="cancel").click()
    request = assert_shows(page, engine, sampler="dpmpp_2m", steps="3")
    with engine.lock:
        demanded = {job.request.steps for session in engine.sessions for job in session.jobs}
    assert demanded == {request.steps}


def test_play_begins_when_the_grids_are_there_and_shows_z_if_asked(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page("?samples=4&steps=6"))
    request = request_in_url(page, engine)
    page.get_by_label("what is drawn of each step").select_option("noisy")
    page.get_by_role("slider", name="denoising").press("Home")
    page.wait_for_function("document.querySelector('.guided canvas').dataset.evaluations === '1'")
    denoiser = engine.checkpoint.denoiser
    states = [state for state, _ in generate(denoiser, begin_grid(denoiser, request))]
    page.wait_for_function("document.querySelector('.meters').textContent === ''")
    assert np.array_equal(canvas(page, "guided"), sheet(request, pixels(request, states[0].z)))
    page.evaluate(RECORD)
    page.get_by_role("slider", name="class").press("End")
    page.get_by_role("button", name="play the denoising").click()
    wait_until_idle(page)
    page.wait_for_function("record().some(each => each.classes.includes(',') && each.evaluations === '3')")
