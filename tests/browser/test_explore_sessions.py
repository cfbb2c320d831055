"""Explore's sessions: several pages, expiry, a full lab, a server that is away, a network that fails."""

import re
import threading
from typing import Any

import pytest

from cfg_core.serving import worker as worker_module
from cfg_core.serving.engine import Engine
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.serving.sessions import Demand
from tests.conftest import served

from .conftest import Open
from .explore_page import QUICK, assert_shows, class_position, wait_until_idle


def test_two_pages_do_not_disturb_each_other(open_page: Open, engine: Engine) -> None:
    one, two = open_page(QUICK), open_page(QUICK + "&class=5&w=1&seed=3")
    wait_until_idle(one)
    wait_until_idle(two)
    one.mouse.click(*class_position(one, "Dress"))
    two.get_by_role("slider", name="guidance strength").press("End")
    assert_shows(one, engine, **{"class": "3", "w": "3", "seed": "7"})
    assert_shows(two, engine, **{"class": "5", "w": "8", "seed": "3"})


def test_a_page_whose_session_expired_goes_on(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK))
    for token in engine.sessions.tokens:  # as after a long silence
        engine.leave(token)
    page.get_by_role("slider", name="guidance strength").press("End")
    assert_shows(page, engine, w="8")
    assert page.get_by_role("alert").count() == 0


def test_closing_a_page_closes_its_session(open_page: Open, engine: Engine) -> None:
    before = set(engine.sessions.tokens)
    page = wait_until_idle(open_page(QUICK))
    [token] = set(engine.sessions.tokens) - before
    page.close()
    assert engine.wait_for(lambda: token not in engine.sessions.tokens, 20)


def test_behind_another_tab_nothing_is_drawn_and_drawing_resumes_on_return(open_page: Open, engine: Engine) -> None:
    before = set(engine.sessions.tokens)
    page = open_page("?samples=4&steps=60&class=3")
    page.wait_for_function("+document.querySelector('.guided canvas')?.dataset.evaluations > 0")
    [token] = set(engine.sessions.tokens) - before
    page.get_by_role("tab", name="2-D lab").click()
    assert engine.wait_for(lambda: not engine.sessions.get(token).unfinished, 20)
    assert engine.sessions.get(token).demand == Demand()
    page.get_by_role("tab", name="Explore").click()
    assert_shows(page, engine, **{"class": "3", "steps": "60"})
    assert set(engine.sessions.tokens) - before == {token}, "it is the same session, in its place"


def test_in_a_full_lab_the_page_shows_its_queue_position_and_enters_when_a_place_is_free(
    browser: Any, engine: Engine
) -> None:
    small = Engine(Model(engine.checkpoint), Limits(sessions=1))
    with served(small) as (address, _):
        one, two = browser.new_page(), browser.new_page()
        one.goto(address + QUICK)
        wait_until_idle(one)
        two.goto(address + QUICK)
        two.get_by_role("alert").wait_for()
        assert two.get_by_role("alert").inner_text() == "The lab is full; you are 1st in the queue."
        one.close()
        wait_until_idle(two)
        assert two.get_by_role("alert").count() == 0
        two.close()
    small.close()


def test_a_waiting_page_shows_how_many_sessions_are_ahead_and_then_the_cost(
    browser: Any, engine: Engine, monkeypatch: Any
) -> None:
    small, go, advance_jobs = Engine(Model(engine.checkpoint)), threading.Event(), worker_module.advance_jobs
    with served(small) as (address, _):
        monkeypatch.setattr(worker_module, "advance_jobs", lambda *ask: go.wait(60) and advance_jobs(*ask))
        one, two = browser.new_page(), browser.new_page()
        for page, seed in ((one, 1), (two, 2)):
            page.goto(f"{address}?samples=4&steps=3&seed={seed}")
            page.locator(".cost", has_text=re.compile(r"\S")).wait_for()
        two.locator(".cost", has_text="1 ahead of you").wait_for()
        assert one.locator(".cost").inner_text() == "computing"
        go.set()
        for page in (one, two):
            wait_until_idle(page)
            assert re.fullmatch(r"3 evaluations, (\d+ ms|\d+\.\d s)", page.locator(".cost").inner_text())
            page.close()
    small.close()


def test_a_server_out_of_reach_is_reported_and_tried_again(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(QUICK, flaky=True))
    page.route(re.compile("component_server"), lambda route: route.abort())
    page.mouse.click(*class_position(page, "Coat"))
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text() == "The server does not answer; trying again."
    page.unroute(re.compile("component_server"))
    page.get_by_role("alert").wait_for(state="hidden")
    assert_shows(page, engine, **{"class": "4"})


def test_a_failing_network_is_reported_and_the_page_goes_on(
    open_page: Open, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    page = wait_until_idle(open_page(QUICK + "&seed=31"))  # nothing of it in the cache
    with monkeypatch.context() as patch:
        patch.setattr(engine.checkpoint.denoiser, "predict", fail)
        page.mouse.click(*class_position(page, "Coat"))
        page.get_by_role("alert").wait_for()
        assert page.get_by_role("alert").inner_text() == "The pictures could not be drawn: out of memory"
        page.wait_for_function("document.querySelector('.explore').dataset.state === 'idle'")
    assert page.locator(".explore >> .guided canvas").get_attribute("data-classes") == "0", (
        "what is shown is still the T-shirt"
    )
    page.mouse.click(*class_position(page, "Dress"))
    assert_shows(page, engine, **{"class": "3"})
