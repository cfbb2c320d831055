"""Whatever sessions do, in any order: their own pictures, bounded memory, nothing left behind."""

import asyncio
import contextlib
import time
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.cache import GridCache
from cfg_core.serving.engine import Engine
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.serving.sessions import IDLE_TIMEOUT, UnknownSession
from tests.serving.helpers import PATIENCE, Gate, alone, finished

REQUESTS = st.builds(
    lambda **fields: GridRequest("0123456789ab", **fields),
    classes=st.sampled_from([(0,), (1,), (2, 3)]),
    w=st.sampled_from([(0.0,), (2.0,), (-1.0,)]),
    samples=st.sampled_from([1, 5, 20]),
    seed=st.integers(0, 2),
    sampler=st.sampled_from(["dpmpp_2m", "heun"]),
    steps=st.integers(1, 4),
)
WHO = st.integers(0, 5)
ACTIONS = st.one_of(
    st.tuples(st.just("enter"), WHO),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("demand"), WHO, st.lists(REQUESTS, max_size=2), st.booleans()),
    st.tuples(st.just("expire"), WHO),
    st.tuples(st.just("wait"), WHO),
    st.tuples(st.just("trajectories"), WHO),
    st.tuples(st.sampled_from(["break", "mend"]), st.just(None)),
    st.tuples(st.just("finish"), WHO),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTIONS, max_size=25))
def test_whatever_sessions_do_they_get_their_own_pictures_and_nothing_is_left(
    tiny_checkpoint: Checkpoint, actions: list[Any]
) -> None:
    gate = Gate(tiny_checkpoint.denoiser)
    gate.open = True
    engine = Engine(Model(gate.checkpoint), Limits(sessions=3, queue=1, samples=32), GridCache(20_000))
    tokens: dict[int, str] = {}
    all_tokens: list[str] = []
    demands: dict[int, list[GridRequest]] = {}
    for action, who, *rest in actions:
        with contextlib.suppress(UnknownSession, ServiceFull):
            if who is None:
                gate.failure = RuntimeError("broken") if action == "break" else None
            elif action == "enter":
                tokens[who] = engine.admit()
                all_tokens.append(tokens[who])
                demands[who] = []
            elif who not in tokens:
                continue
            elif action == "leave":
                engine.leave(tokens[who])
            elif action == "demand":
                demands[who] = rest[0]
                view = engine.set_demand(tokens[who], rest[0], strip(rest[0][0]) if rest[0] and rest[1] else ())
                assert [f.request for f in view.frames] == ([] if view.queue_position else rest[0])
            elif action == "expire":
                with engine.lock:
                    engine.sessions.get(tokens[who]).last_seen -= IDLE_TIMEOUT + 1
            elif action == "wait":
                version = engine.set_demand(tokens[who], demands[who]).version
                asyncio.run(engine.wait_for_update(tokens[who], version, 0.002))
            elif action == "trajectories":
                assert all(frame.pixels is not None for frames in engine.trajectories(tokens[who]) for frame in frames)
            elif not engine.set_demand(tokens[who], demands[who]).queue_position:
                for frame, request in zip(finished(engine, tokens[who], demands[who]), demands[who], strict=True):
                    assert frame.request == request
                    if frame.error is None:
                        assert np.array_equal(frame.pixels, alone(tiny_checkpoint.denoiser, request))
                    else:
                        assert frame.error == "The pictures could not be drawn: broken"
                assert not any(session.listeners for session in engine.sessions)
        assert engine.stats().cached_bytes <= 20_000
    for token in all_tokens:
        engine.leave(token)
    deadline = time.monotonic() + PATIENCE
    while engine.cache.in_progress and time.monotonic() < deadline:
        time.sleep(0.001)
    stats = engine.stats()
    assert (stats.sessions, stats.queued, stats.waiting, stats.samples_in_flight) == (0, 0, 0, 0)
    assert not engine.cache.in_progress
    engine.close()
    assert not engine.worker.alive
