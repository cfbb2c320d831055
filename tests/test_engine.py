"""The engine: everybody's grids together, each exactly the picture that the sampling loop gives for it alone."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cfg_core import engine as engine_module
from cfg_core.data import to_bytes
from cfg_core.denoiser import Denoiser, NetworkDenoiser
from cfg_core.engine import Engine, Frame, UnknownPerson
from cfg_core.hub import Checkpoint
from cfg_core.noise import grid_noise
from cfg_core.request import GridRequest
from cfg_core.samplers import SAMPLERS
from cfg_core.sampling import begin, sample

PATIENCE = 60.0
"""Seconds after which a test gives up on something that should happen at once."""
A = GridRequest("0123456789ab", (3,), (2.0,), samples=4, steps=5)
B = replace(A, w=(4.0,))


class Gate(NetworkDenoiser):
    """A denoiser that waits at every evaluation until it is let through, and can be told to fail."""

    def __init__(self, other: NetworkDenoiser) -> None:
        super().__init__(other.network, other.schedule, other.classes)
        self.open = False
        self.failure: Exception | None = None
        self.rows: list[int] = []
        self.entered, self.permits = threading.Semaphore(0), threading.Semaphore(0)

    def predict(self, z: Any, log_snr: Any, labels: Any, rows: Any) -> Any:
        if not self.open:
            self.entered.release()
            self.permits.acquire()
        self.rows.append(len(rows))
        if self.failure:
            raise self.failure
        return super().predict(z, log_snr, labels, rows)

    def arrived(self) -> None:
        """Wait until an evaluation has begun."""
        assert self.entered.acquire(timeout=PATIENCE)

    def step(self) -> None:
        """Let one evaluation through and wait until the next has begun."""
        self.permits.release()
        self.arrived()

    def release(self) -> None:
        self.open = True
        self.permits.release()


@pytest.fixture
def engine(tiny_checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(tiny_checkpoint)
    yield engine
    engine.close()


@pytest.fixture
def gate(tiny_checkpoint: Checkpoint) -> Gate:
    return Gate(tiny_checkpoint.denoiser)


@pytest.fixture
def gated(gate: Gate, tiny_checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(replace(tiny_checkpoint, denoiser=gate))
    yield engine
    gate.release()
    engine.close()


def alone(denoiser: Denoiser, request: GridRequest) -> np.ndarray:
    """The pictures of a request, each w and class drawn by the sampling loop on its own."""
    samples = range(request.samples)
    pictures = []
    for w in request.w:
        for label in request.classes:
            noise = grid_noise(request.seed, samples, denoiser.shape, denoiser.device)
            labels = torch.full((request.samples,), label)
            strengths = torch.full((request.samples,), w, dtype=torch.float64)
            job = begin(denoiser, noise, labels, strengths, sampler=request.sampler, steps=request.steps)
            pictures.append(to_bytes(sample(denoiser, job)).permute(0, 2, 3, 1).numpy())
    return np.stack(pictures).reshape(len(request.w), len(request.classes), *pictures[0].shape)


def finished(engine: Engine, token: str, requests: list[GridRequest]) -> list[Frame]:
    """The frames of a person once all of them are done."""

    async def pull() -> list[Frame]:
        deadline = time.monotonic() + PATIENCE
        frames = engine.want(token, requests)
        while not all(frame.done for frame in frames):
            await engine.news(token, frames, PATIENCE)
            assert time.monotonic() < deadline
            frames = engine.want(token, requests)
        return frames

    return asyncio.run(pull())


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_drawn_grid_is_the_loop_s_bit_for_bit(engine: Engine, sampler: str) -> None:
    request = replace(A, classes=(7, 2), w=(-1.0, 0.0, 0.3, 8.0), samples=3, sampler=sampler)
    drawn = engine.draw(request)
    assert drawn.shape == (4, 2, 3, 8, 8, 1)
    assert drawn.dtype == np.uint8
    assert drawn.std() > 10, "the tiny network must draw something, or equality says nothing"
    assert np.array_equal(drawn, alone(engine.checkpoint.denoiser, request))


def test_a_picture_is_the_same_in_a_crowd(gate: Gate, gated: Engine) -> None:
    others = [
        replace(A, classes=(1,), w=(0.0,), samples=9),
        replace(A, sampler="heun", steps=3, seed=1),
        replace(A, sampler="ancestral", steps=8, w=(-1.0,)),
    ]
    tokens = [gated.admit() for _ in others]
    for token, request in zip(tokens, others, strict=True):
        gated.want(token, [request])
    gate.arrived()
    gate.step()
    mine = gated.admit()
    gated.want(mine, [A])  # joins while the others are on their way
    gate.release()
    [frame] = finished(gated, mine, [A])
    assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, A))
    for token, request in zip(tokens, others, strict=True):
        [frame] = finished(gated, token, [request])
        assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, request))
    assert max(gate.rows) > 2 * A.samples, "the grids were to be evaluated together"


def test_wanting_something_else_replaces_at_the_next_evaluation(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    gated.want(token, [A])
    gate.arrived()  # the first evaluation, of A alone
    old = gated._people[token].grids[A]
    gated.want(token, [B])
    gate.step()  # the second, of B alone
    assert old.frame.evaluations == 1
    gate.step()
    gate.release()
    [frame] = finished(gated, token, [B])
    assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, B))
    assert old.frame.evaluations == old.job.state.evaluations == 1
    assert len(gate.rows) == 1 + B.evaluations + B.evaluations  # the last ones are alone()'s


def test_a_grid_that_is_wanted_again_goes_on(gate: Gate, gated: Engine) -> None:
    token, unguided = gated.admit(), replace(A, w=(0.0,))
    first = gated.want(token, [unguided, A])
    gate.arrived()
    gate.step()
    second = gated.want(token, [unguided, B])
    assert second[0].serial == first[0].serial
    assert second[0].evaluations == 1
    assert second[1].serial not in {frame.serial for frame in first}
    assert second[1].evaluations == 0
    gate.release()
    assert [frame.serial for frame in finished(gated, token, [unguided, B])] == [frame.serial for frame in second]


def test_nobody_gets_another_s_frames(gate: Gate, gated: Engine) -> None:
    mine, yours = gated.admit(), gated.admit()
    assert mine != yours
    [my_frame], [your_frame] = gated.want(mine, [A]), gated.want(yours, [B])
    gate.release()
    [my_frame], [your_frame] = finished(gated, mine, [A]), finished(gated, yours, [B])
    assert (my_frame.request, your_frame.request) == (A, B)
    assert my_frame.serial != your_frame.serial


@pytest.mark.parametrize("token", ["", "None", "x" * 22])
def test_an_unknown_token_is_refused(engine: Engine, token: str) -> None:
    with pytest.raises(UnknownPerson):
        engine.want(token, [A])
    with pytest.raises(UnknownPerson):
        asyncio.run(engine.news(token, [], 0.0))


def test_silence_frees_a_person(gate: Gate, gated: Engine) -> None:
    silent, awake = gated.admit(), gated.admit()
    gated.want(silent, [A])
    gate.arrived()
    gated.want(awake, [B])
    gate.step()
    gated._people[silent].seen -= engine_module.SILENCE + 1
    gate.step()
    with pytest.raises(UnknownPerson):
        gated.want(silent, [A])
    gate.release()
    finished(gated, awake, [B])
    assert gate.rows[-1] == 2 * B.samples, "the last evaluations are of the awake person's samples alone"


def test_silence_is_noticed_while_nothing_runs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SILENCE", 0.01)
    token = engine.admit()
    deadline = time.monotonic() + PATIENCE
    while token in engine._people:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_failing_denoiser_becomes_a_sentence_and_the_worker_lives_on(gate: Gate, gated: Engine) -> None:
    gate.failure = RuntimeError("out of memory")
    token = gated.admit()
    gated.want(token, [A])
    gate.release()
    [frame] = finished(gated, token, [A])
    assert frame.error == "The pictures could not be drawn: out of memory"
    assert frame.pixels is None
    with pytest.raises(RuntimeError, match="out of memory"):
        gated.draw(A)
    gate.failure = None
    [frame] = finished(gated, token, [B])
    assert frame.error is None
    assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, B))


def test_close_ends_the_worker(engine: Engine) -> None:
    engine.close()
    assert not engine._worker.is_alive()


def test_drawing_ends_when_the_engine_is_closed(gate: Gate, gated: Engine) -> None:
    failures: list[Exception] = []

    def draw() -> None:
        try:
            gated.draw(A)
        except RuntimeError as error:
            failures.append(error)

    drawing, closing = (threading.Thread(target=f, daemon=True) for f in (draw, gated.close))
    drawing.start()
    gate.arrived()
    closing.start()
    with gated._changed:
        assert gated._changed.wait_for(lambda: gated._closed, PATIENCE)
    gate.release()
    drawing.join(PATIENCE)
    closing.join(PATIENCE)
    assert "closed" in str(failures[0])


# ---- news ----------------------------------------------------------------------------------------------------------


def news(engine: Engine, token: str, frames: list[Frame], timeout: float, meanwhile: Callable[[], None]) -> bool:
    """Whether news came before the timeout; ``meanwhile`` runs once the wait has begun."""

    async def wait() -> bool:
        waiting = asyncio.ensure_future(engine.news(token, frames, timeout))
        await asyncio.sleep(0)
        meanwhile()
        await asyncio.wait_for(waiting, PATIENCE)
        return engine.want(token, [A]) != frames

    return asyncio.run(wait())


def test_news_of_frames_that_are_already_old_come_at_once(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    frames = gated.want(token, [A])
    gate.arrived()
    gate.step()  # one evaluation is over before anybody waits; no other will end
    assert news(gated, token, frames, 1e6, lambda: None)


def test_news_of_frames_that_were_replaced_come_at_once(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    frames = gated.want(token, [A])
    gated.want(token, [B])
    asyncio.run(asyncio.wait_for(gated.news(token, frames, 1e6), PATIENCE))


def test_an_evaluation_is_news(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    frames = gated.want(token, [A])
    gate.arrived()
    assert news(gated, token, frames, 1e6, gate.permits.release)


def test_without_news_the_wait_ends(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    frames = gated.want(token, [A])
    gate.arrived()
    assert not news(gated, token, frames, 0.01, lambda: None)
    assert not gated._people[token].waiting
