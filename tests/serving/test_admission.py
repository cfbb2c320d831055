"""Admission to the running engine: places, the queue before them, expiry; a session keeps its place."""

import asyncio
import time
from dataclasses import replace

import pytest

from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.sessions import IDLE_TIMEOUT, PULL_TIMEOUT, Demand, UnknownSession
from tests.serving.helpers import PATIENCE, A, B, Gate, finished


@pytest.mark.parametrize("token", ["", "None", "x" * 22])
def test_an_unknown_token_is_refused(engine: Engine, token: str) -> None:
    with pytest.raises(UnknownSession):
        engine.set_demand(token, [A])
    with pytest.raises(UnknownSession):
        asyncio.run(engine.wait_for_update(token, 0, 0.0))


def test_a_silent_session_expires_and_frees_what_it_demanded(gate: Gate, gated: Engine) -> None:
    silent, awake = gated.admit(), gated.admit()
    gated.set_demand(silent, [A])
    gate.arrived()
    gated.set_demand(awake, [B])
    gate.step()
    with gated.lock:
        gated.sessions.get(silent).last_seen -= IDLE_TIMEOUT + 1
    gate.step()
    with pytest.raises(UnknownSession):
        gated.set_demand(silent, [A])
    gate.release()
    finished(gated, awake, [B])
    assert gate.rows[-1] == 2 * B.samples, "the last evaluations are of the awake session's samples alone"


def test_silence_is_noticed_while_nothing_runs(engine: Engine) -> None:
    engine.sessions.idle_timeout = engine.sessions.entry_timeout = 0.01
    token = engine.admit()
    deadline = time.monotonic() + PATIENCE
    while token in engine.sessions.tokens:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_when_the_lab_is_full_a_session_queues_and_moves_up(crowded: Engine) -> None:
    tokens = [crowded.admit() for _ in range(4)]
    views = [crowded.set_demand(token, [A]) for token in tokens]
    assert [view.queue_position for view in views] == [0, 0, 1, 2]
    assert not views[2].frames
    with pytest.raises(ServiceFull, match="The lab is full, and so is its queue"):
        crowded.admit()
    crowded.leave(tokens[0])
    assert [crowded.set_demand(token, [A]).queue_position for token in tokens[1:]] == [0, 0, 1]
    assert finished(crowded, tokens[2], [A])[0].pixels is not None
    crowded.admit()


def test_a_session_keeps_its_place_whatever_it_demands(crowded: Engine) -> None:
    """Another model, another tab (nothing is displayed), and back: admitted or queued, nobody overtakes."""
    other = replace(crowded.checkpoint, hash="ba9876543210")
    crowded.add(Model(other))
    tokens = [crowded.admit() for _ in range(4)]
    for token in tokens:
        crowded.set_demand(token, [])
    for demand in ([A], [replace(A, checkpoint=other.hash)], [], [B]):
        positions = [crowded.set_demand(token, demand).queue_position for token in reversed(tokens)]
        assert positions == [2, 1, 0, 0]
        with pytest.raises(ServiceFull):
            crowded.admit()
    assert finished(crowded, tokens[0], [replace(A, checkpoint=other.hash)])[0].error is None
    assert finished(crowded, tokens[1], [B])[0].error is None


def test_a_session_that_makes_room_is_told_at_once(crowded: Engine) -> None:
    silent, *_ = tokens = [crowded.admit() for _ in range(4)]
    versions = [crowded.set_demand(token, [A]).version for token in tokens]

    async def wait() -> None:
        waiting = asyncio.ensure_future(crowded.next_view(silent, Demand((A,)), versions[0], 1e6))
        await asyncio.sleep(0)
        with crowded.lock:
            crowded.sessions.find(silent).last_seen -= PULL_TIMEOUT + 1
        crowded.admit()
        with pytest.raises(UnknownSession):
            await asyncio.wait_for(waiting, PATIENCE)

    asyncio.run(wait())
    assert silent not in crowded.sessions.tokens


def test_what_is_drawn_for_no_session_takes_no_place_in_a_full_lab(crowded: Engine) -> None:
    tokens = [crowded.admit() for _ in range(4)]
    positions = [crowded.set_demand(token, []).queue_position for token in tokens]
    assert crowded.draw(A).shape[:3] == (1, 1, A.samples)
    assert asyncio.run(crowded.draw_async(B)).shape[:3] == (1, 1, B.samples)
    assert crowded.sessions.tokens == tokens
    assert [crowded.set_demand(token, []).queue_position for token in tokens] == positions == [0, 0, 1, 2]


def test_a_session_that_displays_nothing_has_nothing_drawn(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    gated.set_demand(token, [A], [B])
    gate.arrived()
    gated.set_demand(token, [])
    gate.release()
    assert gated.wait_for(lambda: gated.stats().evaluations == A.samples, PATIENCE)
    assert gated.stats().waiting == 0
    assert gated.sessions.tokens == [token]


def test_a_session_that_never_calls_expires_early(crowded: Engine) -> None:
    crowded.sessions.entry_timeout = 0.01
    for _ in range(4):
        crowded.admit()
    deadline = time.monotonic() + PATIENCE
    while crowded.sessions.tokens:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    crowded.admit()


def test_what_is_beyond_the_limits_is_refused_in_a_sentence(crowded: Engine) -> None:
    token = crowded.admit()
    with pytest.raises(ValueError, match="samples must be a whole number from 1 to 40, got 41"):
        crowded.set_demand(token, [replace(A, samples=41)])
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to 20, got 21"):
        crowded.set_demand(token, [A], [replace(A, steps=21)])
    with pytest.raises(ValueError, match="pictures × evaluations must be a whole number from 1 to 500, got 520"):
        crowded.set_demand(token, [replace(A, samples=40, steps=13)])
    assert finished(crowded, token, [A])[0].error is None
