"""What a class is sent: what is nearest of a strip, the exact pictures, then the whole strip, whatever its teacher does
meanwhile."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.sessions import SessionView, UnknownSession
from cfg_core.ui import class_pictures
from cfg_core.ui.class_pictures import ClassPictures, Sent, nearest
from cfg_core.ui.requests import demand_of

A = GridRequest("0123456789ab", (3,), (2.1,), samples=4, steps=5)
B = replace(A, w=(0.6,))
OTHER = replace(A, seed=9)


def frame(w: float, **changes: object) -> Frame:
    return Frame(replace(A, w=(w,), **changes), 0)  # type: ignore[arg-type]


def test_the_rungs_nearest_to_both_grids_come_first() -> None:
    rungs = [frame(w) for w in (0.0, 1.0, 2.0, 3.0)]
    view = SessionView(1, (frame(2.1), frame(0.0)), tuple(rungs))
    assert nearest(view) == (rungs[2], rungs[0])


def test_of_another_scene_or_without_a_strip_there_is_none() -> None:
    other = frame(2.0, seed=9)
    assert nearest(SessionView(1, (frame(2.1), frame(0.0)), (other,))) == ()
    assert nearest(SessionView(1, (frame(2.1),))) == ()


class Drawing:
    """An engine whose grids are drawn as a test says, and a page that is sent what a class's page is."""

    def __init__(self) -> None:
        self.frames: dict[GridRequest, Frame] = {}
        self.version, self.sessions = 0, 0
        self.tokens: set[str] = set()
        self.waiting: asyncio.Future[None] | None = None
        self.events: list[dict[str, Any]] = []
        self.sent = Sent()
        requests = SimpleNamespace(pair=lambda raw: raw["pair"], fields=lambda request: {}, url=lambda request: "")
        models: Any = SimpleNamespace(engine=self)
        self.pictures = ClassPictures(models, requests, self.receive, lambda: 7)  # type: ignore[arg-type]

    # ---- the engine ----

    def check(self, request: GridRequest) -> None:
        """All can be drawn."""

    def admit_own(self) -> str:
        self.sessions += 1
        self.tokens = {str(self.sessions)}
        return str(self.sessions)

    def leave(self, token: str) -> None:
        self.tokens.discard(token)
        self.wake()

    def set_demand(self, token: str, displayed: Any, prefetch: Any, followers: int) -> SessionView:
        assert followers == 7
        if token not in self.tokens:
            raise UnknownSession
        strip = tuple(each for each in map(self.frame, prefetch) if each.done)
        return SessionView(self.version, tuple(map(self.frame, displayed)), strip)

    async def wait_for_update(self, token: str, version: int, timeout: float) -> None:
        if token not in self.tokens:
            raise UnknownSession
        self.waiting = asyncio.get_running_loop().create_future()
        if version == self.version:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.waiting, 3600)

    def frame(self, request: GridRequest) -> Frame:
        return self.frames.setdefault(request, Frame(request, len(self.frames)))

    def wake(self) -> None:
        self.version += 1
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(None)

    # ---- what a test does ----

    def draw(self, *requests: GridRequest, evaluations: int = 5) -> None:
        for request in requests:
            self.frames[request] = replace(self.frame(request), evaluations=evaluations)
        self.wake()

    def draw_all(self, guided: GridRequest) -> None:
        self.draw(guided, reference(guided), *demand_of(guided, reference(guided)).prefetch)

    def show(self, guided: GridRequest) -> str:
        """Returns the key of what is shown."""
        self.pictures.show({"pair": (guided, reference(guided))})
        return self.pictures.key

    def receive(self) -> None:
        if news := self.pictures.news_for(self.sent):
            self.events.append(json.loads(news))

    @property
    def last(self) -> tuple[str, list[bool], int]:
        """Of the newest event the key, which of both grids are finished, and how many rungs are missing."""
        event = self.events[-1]
        return event["key"], [each["done"] for each in event["frames"]], event["missing"]


def reference(guided: GridRequest) -> GridRequest:
    return replace(guided, w=(0.0,))


async def settled() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Drawing], Awaitable[None]]], None]:
    """Runs a test of a drawing; nothing that is due waits, unless the test says so."""
    for name in ("FRAME_INTERVAL", "STRIP_AFTER", "STRIP_INTERVAL"):
        monkeypatch.setattr(class_pictures, name, 0.0)
    return lambda test: asyncio.run(test(Drawing()))  # type: ignore[arg-type]


Run = Callable[[Callable[[Drawing], Awaitable[None]]], None]


def test_a_slow_drawing_is_sent_part_by_part_to_its_end(run: Run) -> None:
    async def test(drawing: Drawing) -> None:
        key, strip = drawing.show(A), demand_of(A, reference(A)).prefetch
        await settled()
        assert drawing.events == []
        drawing.draw(A, evaluations=2)
        await settled()
        assert drawing.last == (key, [False, False], len(strip))
        drawing.draw(replace(A, w=(4.0,)), replace(A, w=(2.0,)))
        await settled()
        assert [each["w"] for each in drawing.events[-1]["strip"]] == [2.0]
        drawing.draw(A)
        await settled()
        assert drawing.last[1] == [False, True]
        drawing.draw(reference(A))
        await settled()
        assert drawing.last == (key, [True, True], len(strip) - 3)  # with w = 0, the reference itself
        drawing.draw(*strip)
        await settled()
        assert drawing.last == (key, [True, True], 0)
        assert len({event["number"] for event in drawing.events}) == len(drawing.events)

    run(test)


def test_what_was_finished_before_the_first_look_is_sent_at_once_and_then_its_strip(run: Run) -> None:
    async def test(drawing: Drawing) -> None:
        drawing.draw_all(A)
        key = drawing.show(A)
        await settled()
        first, last = drawing.events
        assert [each["done"] for each in first["frames"]] == [True, True]
        assert sorted(each["w"] for each in first["strip"]) == [0.0, 2.0]
        assert drawing.last == (key, [True, True], 0)
        assert {each["w"] for each in last["strip"]}.isdisjoint({0.0, 2.0})

    run(test)


def test_another_w_is_sent_while_a_strip_is_due(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_pictures, "STRIP_AFTER", 3600.0)

    async def test(drawing: Drawing) -> None:
        drawing.draw_all(A)
        drawing.draw(B)
        drawing.show(A)
        await settled()
        key = drawing.show(B)
        await settled()
        assert drawing.last[:2] == (key, [True, True])
        drawing.pictures.close()

    run(test)


def test_of_a_quick_succession_the_last_is_sent_and_nothing_of_another_under_its_key(run: Run) -> None:
    async def test(drawing: Drawing) -> None:
        for shown in (A, OTHER, B):
            drawing.draw_all(shown)
        key = [drawing.show(each) for each in (A, OTHER, A, B)][-1]
        await settled()
        assert drawing.last == (key, [True, True], 0)
        assert {event["key"] for event in drawing.events} == {key}

    run(test)


@pytest.mark.parametrize("then", [B, OTHER])
def test_another_scene_that_comes_with_the_end_of_one_takes_its_place(run: Run, then: GridRequest) -> None:
    async def test(drawing: Drawing) -> None:
        drawing.show(A)
        await settled()
        drawing.draw(A, reference(A))
        key = drawing.show(then)
        await settled()
        drawing.draw_all(then)
        await settled()
        assert drawing.last == (key, [True, True], 0)
        shown = {frame["w"] for event in drawing.events for frame in event["frames"] if event["key"] == key}
        assert shown == {0.0, *then.w}

    run(test)


def test_a_class_that_is_over_as_its_pictures_end_draws_nothing_more(run: Run) -> None:
    async def test(drawing: Drawing) -> None:
        drawing.show(A)
        await settled()
        drawing.draw(A)
        drawing.pictures.close()
        await settled()
        assert (drawing.tokens, drawing.sessions) == (set(), 1)

    run(test)


def test_a_session_that_is_gone_is_replaced(run: Run) -> None:
    async def test(drawing: Drawing) -> None:
        key = drawing.show(A)
        await settled()
        drawing.tokens.clear()
        drawing.draw_all(A)
        await settled()
        assert drawing.last == (key, [True, True], 0)
        assert drawing.sessions == 2

    run(test)
