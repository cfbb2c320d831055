"""Explore's server functions where a lab is full, a model is changed, a strip is drawn by a remote GPU."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.grids.ladder import strip
from cfg_core.serving import zerogpu
from cfg_core.serving.engine import Engine
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui import explore as explore_tab
from cfg_core.ui.explore import Explore
from tests.conftest import served
from tests.serving.helpers import Gate
from tests.ui.http_calls import page_call

OTHER = "ba9876543210"


@pytest.fixture
def gate(tiny_checkpoint: Checkpoint) -> Gate:
    return Gate(tiny_checkpoint.denoiser)


@pytest.fixture
def full(tiny_checkpoint: Checkpoint, gate: Gate) -> Iterator[Engine]:
    """An engine with room for one, of two models; the gate holds what the other draws."""
    engine = Engine(Model(tiny_checkpoint), Limits(sessions=1))
    engine.add(Model(replace(gate.checkpoint, hash=OTHER)))
    yield engine
    gate.release()
    engine.close()


def test_opening_a_session_in_a_full_lab_waits_for_nothing(full: Engine, gate: Gate, monkeypatch: Any) -> None:
    monkeypatch.setattr(explore_tab, "POLL_TIMEOUT", 0.05)
    explore, inside = Explore(ModelRegistry(full), {}), full.admit()
    full.set_demand(inside, ())

    async def scenario() -> None:
        before = threading.active_count()
        opened = [explore.open_session({"query": {"model": OTHER}}) for _ in range(60)]
        replies = await asyncio.wait_for(asyncio.gather(*opened), 20)
        assert all(reply["ok"] and reply["rail"] == "" for reply in replies)
        assert threading.active_count() <= before + 1, "no thread waits for the rail"
        assert await explore.rail({"model": OTHER}) == {"ok": True, "rail": ""}
        gate.release()
        while not (rail := (await explore.rail({"model": OTHER}))["rail"]):
            await asyncio.sleep(0.05)
        assert np.frombuffer(base64.b64decode(rail), np.uint8).size == 10 * 8 * 8
        assert (await explore.describe_model({"query": {"model": OTHER}}))["rail"] == rail

    asyncio.run(scenario())


def test_pages_that_wait_for_a_rail_hold_none_of_the_threads(full: Engine, gate: Gate, monkeypatch: Any) -> None:
    monkeypatch.setattr(explore_tab, "POLL_TIMEOUT", 1e6)  # they wait until it is drawn
    with served(full) as (address, page), ThreadPoolExecutor(60) as pool:
        call, inside = page_call(address, page), full.admit()
        full.set_demand(inside, ())
        waiting = [pool.submit(call, "rail", {"model": OTHER}) for _ in range(60)]
        gate.arrived()
        for _ in range(3):  # answered in a thread
            assert call("trajectory", {"token": inside}) == (200, {"ok": True, "trajectories": []})
        assert not any(each.done() for each in waiting)
        gate.release()
        replies = {json.dumps(each.result(60)) for each in waiting}
        assert len(replies) == 1
        assert '"rail": ""' not in replies.pop()


def test_an_address_has_its_share_of_the_sessions(tiny_checkpoint: Checkpoint, monkeypatch: Any) -> None:
    engine = Engine(Model(tiny_checkpoint), Limits(per_address=2))

    def entered(call: Any) -> bool:
        reply = call("open_session", {})[1]
        if reply["ok"]:
            assert call("pause_session", {"token": reply["token"]})[1]["ok"]
        else:
            assert reply["error"].startswith("There are already 2 visitors from your network")
        return reply["ok"]

    with served(engine) as (address, page):
        call = page_call(address, page)
        assert [entered(call) for _ in range(3)] == [True, True, False]
        for elsewhere in ("203.0.113.5", "nobody"):
            monkeypatch.setattr(explore_tab, "client_address", lambda _, at=elsewhere: at.replace("nobody", ""))
            assert [entered(call) for _ in range(3)] == [True, True, False]
    engine.close()


def test_a_token_that_is_none_is_unknown_and_nothing_is_kept_of_it(full: Engine) -> None:
    explore = Explore(ModelRegistry(full), {})
    for token in (None, 7, [1], "x", "x" * 22, "x" * 2**20):
        payload = {"token": token, "request": {}}
        assert asyncio.run(explore.poll(payload))["unknown"]
        assert explore.trajectory(payload)["unknown"]
        assert explore.pause_session(payload)["unknown"]
        assert explore.close_session(payload)["ok"]
        with pytest.raises(gr.Error) as refused:
            explore.draw_remotely(SimpleNamespace(_data=payload))
        assert not refused.value.print_exception, "an error of the caller is no traceback in the log"
    assert len(full.sessions) == 0


def test_a_page_whose_model_is_gone_is_told_so_and_goes_on_with_another_and_what_that_can_draw(full: Engine) -> None:
    explore = Explore(ModelRegistry(full), {})

    async def scenario() -> None:
        token = (await explore.open_session({}))["token"]
        request = {"model": "000000000000", "class": 3, "w": 2, "samples": 1, "steps": 1}
        reply = await explore.poll({"token": token, "request": request, "seen": {}})
        assert (reply["ok"], reply["gone"]) == (False, True)
        assert reply["error"].startswith("model must be one of ")
        other = await explore.describe_model({"query": {name: request[name] for name in request if name != "model"}})
        assert other["request"].items() >= {**request, "model": full.checkpoint.hash}.items()
        wrong = await explore.poll({"token": token, "request": {**other["request"], "class": 99}, "seen": {}})
        assert "gone" not in wrong, "another fault of a request is not that of its model"
        explore.close_session({"token": token})

    asyncio.run(scenario())


def test_another_model_or_tab_keeps_the_session_and_its_position(full: Engine) -> None:
    explore = Explore(ModelRegistry(full), {})

    async def scenario() -> None:
        tokens = [(await explore.open_session({}))["token"] for _ in range(3)]

        async def position(token: str, **fields: Any) -> int:
            request = {"samples": 1, "steps": 1, **fields}
            return (await explore.poll({"token": token, "request": request, "seen": {}}))["queue_position"]

        assert [await position(token) for token in tokens] == [0, 1, 2]
        described = await explore.describe_model({"query": {"model": OTHER, "class": 3}})
        assert (described["request"]["model"], described["request"]["class"]) == (OTHER, 3)
        assert "token" not in described
        assert [await position(token, model=OTHER) for token in tokens] == [0, 1, 2]
        assert [explore.pause_session({"token": token})["queue_position"] for token in tokens] == [0, 1, 2]
        assert full.set_demand(tokens[0], ()).frames == (), "nothing is drawn for a session that is paused"
        assert [await position(token) for token in tokens] == [0, 1, 2]
        explore.close_session({"token": tokens[0]})
        assert explore.pause_session({"token": tokens[0]})["unknown"]
        assert [await position(token) for token in tokens[1:]] == [0, 1]

    asyncio.run(scenario())


def test_a_remote_call_that_waited_too_long_draws_nothing_and_is_counted(
    tiny_checkpoint: Checkpoint, monkeypatch: Any
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: lambda model, asked: calls.append(asked) or pictures(asked))
    engine = Engine(Model(tiny_checkpoint, remote=True))
    explore = Explore(ModelRegistry(engine), {})

    def event(token: str, **request: Any) -> Any:
        return SimpleNamespace(_data={"token": token, "request": request})

    async def scenario() -> None:
        token = (await explore.open_session({}))["token"]

        async def polled(**request: Any) -> dict[str, Any]:
            return await explore.poll({"token": token, "request": request, "seen": {}})

        assert (await polled(**{"class": 1}))["remote_calls"] == 0
        await asyncio.to_thread(explore.draw_remotely, event(token, **{"class": 0}))
        assert calls == [], "the session asks for another strip by now"
        reply = await polled(**{"class": 1})
        assert (reply["remote_calls"], reply["missing"]) == (1, 17)
        await asyncio.to_thread(explore.draw_remotely, event(token, **{"class": 1}))
        reply = await polled(**{"class": 1})
        assert (reply["remote_calls"], reply["missing"], len(calls)) == (2, 0, 1)

    asyncio.run(scenario())
    engine.close()


def pictures(requests: Any) -> list[np.ndarray]:
    assert len(requests) == len(strip(requests[0]))
    return [np.zeros((1, 1, each.samples, 8, 8, 1), np.uint8) for each in requests]
