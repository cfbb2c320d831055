"""Explore over a model that a remote GPU draws, a strip per call."""

from pathlib import Path
from typing import Any

from cfg_core.serving import zerogpu
from cfg_core.serving.engine import Engine
from cfg_core.serving.zerogpu import draw_on_gpu
from tests.conftest import served

from .explore_page import (
    QUICK,
    assert_shows,
    class_position,
    open_setting,
    remote_registry,
    thumb_position,
    waiting_gpu,
)


def test_one_call_of_a_remote_gpu_draws_a_whole_strip(
    browser: Any, tiny_engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    calls = []
    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: lambda *ask: calls.append(ask) or draw_on_gpu(*ask))
    registry = remote_registry(tiny_engine, tmp_path)
    with served(registry.engine, models=registry) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        assert_shows(page, registry.engine, **{"w": "3"})
        page.wait_for_function("document.querySelector('.explore').dataset.missing === '0'")
        assert [len(requests) for _, requests in calls] == [17]
        page.mouse.move(*thumb_position(page, 3))
        page.mouse.down()
        page.mouse.move(*thumb_position(page, 5.1), steps=5)
        page.mouse.up()
        page.wait_for_function("window.explored.w === 5")
        assert_shows(page, registry.engine, **{"w": "5"})
        assert len(calls) == 1, "never one call a slider tick"
        page.mouse.click(*class_position(page, "4"))
        assert_shows(page, registry.engine, **{"class": "4", "w": "5"})
        assert len(calls) == 2
        page.close()
    registry.engine.close()


def test_what_a_remote_gpu_drew_behind_another_tab_is_shown_on_return(
    browser: Any, tiny_engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    calls, go = waiting_gpu(monkeypatch)
    registry = remote_registry(tiny_engine, tmp_path)
    with served(registry.engine, models=registry) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        page.wait_for_function("document.querySelector('.cost')?.textContent === 'computing'")
        page.get_by_role("tab", name="2-D lab").click()
        assert registry.engine.wait_for(lambda: all(not session.jobs for session in registry.engine.sessions), 20)
        page.get_by_role("tab", name="Explore").click()
        go.set()
        assert_shows(page, registry.engine, **{"w": "3"})
        assert len(calls) == 1
        open_setting(page, "rules").get_by_label("w from −1").check()
        page.get_by_role("slider", name="guidance strength").press("Home")
        page.wait_for_function("window.explored.w === -1")
        assert_shows(page, registry.engine, **{"w": "-1"})
        assert [len(requests) for _, requests in calls] == [17, 4]
        page.close()
    registry.engine.close()


def test_a_refusal_of_the_remote_gpu_is_reported_with_the_reason(
    browser: Any, tiny_engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    def refused(*_: Any) -> None:
        raise RuntimeError("you have used up today's minutes")

    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: refused)
    registry = remote_registry(tiny_engine, tmp_path)
    with served(registry.engine, models=registry) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        page.get_by_role("alert").wait_for()
        message = page.get_by_role("alert").inner_text()
        assert message == "The pictures could not be drawn: you have used up today's minutes"
        page.close()
    registry.engine.close()


def test_a_call_that_finds_the_queue_of_the_remote_gpu_full_is_made_again(
    browser: Any, tiny_engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    calls, go = waiting_gpu(monkeypatch)
    registry = remote_registry(tiny_engine, tmp_path)
    with served(registry.engine, models=registry) as (address, blocks):
        blocks._queue.max_size = 1
        page = browser.new_page()
        page.goto(address + QUICK)
        while not calls:
            page.wait_for_timeout(50)
        page.mouse.click(*class_position(page, "2"))  # waits until nobody wants it any more
        while not len(blocks._queue):
            page.wait_for_timeout(50)
        page.mouse.click(*class_position(page, "4"))
        page.get_by_role("alert").get_by_text("The queue of the remote GPU is full; trying again.").wait_for()
        go.set()
        assert_shows(page, registry.engine, **{"class": "4"})
        page.wait_for_function("document.querySelector('.explore').dataset.missing === '0'")
        assert page.locator(".explore .message").is_hidden()
        assert [{request.classes for request in requests} for _, requests in calls] == [{(0,)}, {(4,)}]
        page.close()
    registry.engine.close()
