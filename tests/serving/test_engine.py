"""The engine: everybody's grids together, each exactly the picture that the sampling loop gives for it alone."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cfg_core.checkpoints.format import Checkpoint, CheckpointConfig
from cfg_core.data.pixels import to_bytes
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.schedule import Schedule
from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.sampling.loop import begin, sample
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving import engine as engine_module
from cfg_core.serving.engine import SILENCE, Engine, Limits, Model, ServiceFull, UnknownSession, log
from cfg_core.serving.grid_job import Frame, GridJob

PATIENCE = 60.0
"""Seconds after which a test gives up on something that should happen at once."""
A = GridRequest("0123456789ab", (3,), (2.0,), samples=4, steps=5)
B = replace(A, w=(4.0,))


class Gate(NetworkDenoiser):
    """A denoiser that waits at every evaluation until it is let through, and can be told to fail."""

    def __init__(self, other: NetworkDenoiser) -> None:
        super().__init__(other.network, other.schedule, other.classes)
        self.open = False
        self.failure: BaseException | None = None
        self.poison: int | None = None
        self.largest: int | None = None
        self.rows: list[int] = []
        self.entered, self.permits = threading.Semaphore(0), threading.Semaphore(0)

    def predict(self, z: Any, log_snr: Any, labels: Any, rows: Any) -> Any:
        if not self.open:
            self.entered.release()
            self.permits.acquire()
        self.rows.append(len(rows))
        if self.failure:
            raise self.failure
        if self.poison in labels.tolist():
            raise RuntimeError("poisoned")
        if self.largest and len(z) > self.largest:
            raise torch.OutOfMemoryError("too many samples")
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
def engine(tiny_engine: Engine) -> Engine:
    return tiny_engine


@pytest.fixture
def gate(tiny_checkpoint: Checkpoint) -> Gate:
    return Gate(tiny_checkpoint.denoiser)


def replace_denoiser(gate: Gate) -> Checkpoint:
    config = CheckpointConfig(
        gate.network.config, Schedule(), "v", "v", gate.classes, "synthetic", "none", 0.1, 0, "none"
    )
    return Checkpoint(gate, config, A.checkpoint)


@pytest.fixture
def gated(gate: Gate) -> Iterator[Engine]:
    engine = Engine(Model(replace_denoiser(gate)))
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


def finished(engine: Engine, token: str, requests: list[GridRequest], strip: Sequence[GridRequest] = ()) -> list[Frame]:
    """The frames of a person, those of the strip last, once all of them are done."""

    async def pull() -> list[Frame]:
        deadline = time.monotonic() + PATIENCE
        view = engine.want(token, requests, strip)
        while not all(frame.done for frame in view.frames) or len(view.strip) < len(strip) or view.door:
            await engine.news(token, view.version, PATIENCE)
            assert time.monotonic() < deadline
            view = engine.want(token, requests, strip)
        return [*view.frames, *view.strip]

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
        replace(A, sampler="ancestral", steps=8, w=(-1.0,), parameters=()),
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
    [old] = gated._people[token].looked_at
    gated.want(token, [B])
    gate.step()  # the second, of B alone
    assert old.frame.evaluations == 1
    gate.step()
    gate.release()
    [frame] = finished(gated, token, [B])
    assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, B))
    assert old.frame.evaluations == 1
    assert len(gate.rows) == 1 + B.evaluations + B.evaluations  # the last ones are alone()'s


def test_a_grid_that_is_wanted_again_goes_on(gate: Gate, gated: Engine) -> None:
    token, unguided = gated.admit(), replace(A, w=(0.0,))
    first = gated.want(token, [unguided, A]).frames
    gate.arrived()
    gate.step()
    second = gated.want(token, [unguided, B]).frames
    assert second[0].serial == first[0].serial
    assert second[0].evaluations == 1
    assert second[1].serial not in {frame.serial for frame in first}
    assert second[1].evaluations == 0
    gate.release()
    assert [frame.serial for frame in finished(gated, token, [unguided, B])] == [frame.serial for frame in second]


def test_nobody_gets_another_s_frames(gate: Gate, gated: Engine) -> None:
    mine, yours = gated.admit(), gated.admit()
    assert mine != yours
    gated.want(mine, [A]), gated.want(yours, [B])
    gate.release()
    [my_frame], [your_frame] = finished(gated, mine, [A]), finished(gated, yours, [B])
    assert (my_frame.request, your_frame.request) == (A, B)
    assert my_frame.serial != your_frame.serial


@pytest.mark.parametrize("token", ["", "None", "x" * 22])
def test_an_unknown_token_is_refused(engine: Engine, token: str) -> None:
    with pytest.raises(UnknownSession):
        engine.want(token, [A])
    with pytest.raises(UnknownSession):
        asyncio.run(engine.news(token, 0, 0.0))


def test_silence_frees_a_person(gate: Gate, gated: Engine) -> None:
    silent, awake = gated.admit(), gated.admit()
    gated.want(silent, [A])
    gate.arrived()
    gated.want(awake, [B])
    gate.step()
    gated._people[silent].seen -= SILENCE + 1
    gate.step()
    with pytest.raises(UnknownSession):
        gated.want(silent, [A])
    gate.release()
    finished(gated, awake, [B])
    assert gate.rows[-1] == 2 * B.samples, "the last evaluations are of the awake person's samples alone"


def test_silence_is_noticed_while_nothing_runs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SILENCE", 0.01)
    monkeypatch.setattr(engine_module, "UNHEARD", 0.01)
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


def news(engine: Engine, token: str, version: int, timeout: float, meanwhile: Callable[[], None]) -> bool:
    """Whether news came before the timeout; ``meanwhile`` runs once the wait has begun."""

    async def wait() -> bool:
        waiting = asyncio.ensure_future(engine.news(token, version, timeout))
        await asyncio.sleep(0)
        meanwhile()
        await asyncio.wait_for(waiting, PATIENCE)
        return engine.want(token, [A]).version != version

    return asyncio.run(wait())


def test_news_that_are_already_old_come_at_once(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.want(token, [A]).version
    gate.arrived()
    gate.step()  # one evaluation is over before anybody waits; no other will end
    assert news(gated, token, version, 1e6, lambda: None)


def test_news_of_another_wish_come_at_once(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.want(token, [A]).version
    gated.want(token, [B])
    asyncio.run(asyncio.wait_for(gated.news(token, version, 1e6), PATIENCE))


def test_the_first_and_the_last_evaluation_are_news_the_others_are_not(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.want(token, [A]).version
    gate.arrived()
    heard = [news(gated, token, version, 1e6, gate.step)]
    for _ in range(A.steps - 2):
        version = gated.want(token, [A]).version
        heard.append(news(gated, token, version, 0.01, gate.step))
    heard.append(news(gated, token, version, 1e6, gate.permits.release))
    assert heard == [True, *[False] * (A.steps - 2), True]


def test_a_newer_wish_ends_the_wait_of_the_older(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.want(token, [A]).version
    gate.arrived()

    async def wait() -> object:
        waiting = asyncio.ensure_future(gated.later(token, ((A,), ()), version, 1e6))
        await asyncio.sleep(0)
        gated.want(token, [B])
        return await asyncio.wait_for(waiting, PATIENCE)

    assert asyncio.run(wait()) is None
    assert [frame.request for frame in gated.want(token, [B]).frames] == [B]


def test_without_news_the_wait_ends(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.want(token, [A]).version
    gate.arrived()
    assert not news(gated, token, version, 0.01, lambda: None)
    assert not gated._people[token].listeners


# ---- one computation for all ---------------------------------------------------------------------------------------


def test_two_who_want_the_same_share_one_computation(gate: Gate, gated: Engine) -> None:
    tokens = gated.admit(), gated.admit()
    for token in tokens:
        gated.want(token, [A])
    gate.release()
    [mine], [yours] = (finished(gated, token, [A]) for token in tokens)
    assert mine is yours
    assert gate.rows == [2 * A.samples] * A.evaluations


def test_a_shared_computation_goes_on_when_one_of_them_leaves(gate: Gate, gated: Engine) -> None:
    mine, yours = gated.admit(), gated.admit()
    for token in (mine, yours):
        gated.want(token, [A])
    gate.arrived()
    gate.step()
    gated.leave(yours)
    gate.release()
    assert np.array_equal(finished(gated, mine, [A])[0].pixels, alone(gated.checkpoint.denoiser, A))
    assert len(gate.rows) == 2 * A.evaluations  # the last ones are alone()'s


def test_what_was_drawn_once_comes_from_the_cache(gate: Gate, gated: Engine) -> None:
    gate.release()
    first = gated.draw(A)
    made = len(gate.rows)
    token = gated.admit()
    view = gated.want(token, [A])
    assert view.frames[0].done
    assert np.array_equal(view.frames[0].pixels, first)
    assert len(gate.rows) == made
    assert gated.stats().cache_hits == 1
    assert gated.film(token)[0][-1] is view.frames[0]


def test_the_cache_never_exceeds_its_bound(tiny_checkpoint: Checkpoint) -> None:
    engine = Engine(Model(tiny_checkpoint), Limits(cache=1))
    engine._cache = type(engine._cache)(10_000, engine._cache.getsizeof)  # three of the grids below
    try:
        for seed in range(8):
            engine.draw(replace(A, seed=seed, samples=10))
            assert engine.stats().cached_bytes <= 10_000
        assert engine.stats().cached == 3
        engine.draw(replace(A, samples=64))  # larger than the cache: drawn, not kept
        assert engine.stats().cached == 3
    finally:
        engine.close()


def test_without_a_cache_everything_is_drawn_anew(tiny_checkpoint: Checkpoint) -> None:
    engine = Engine(Model(tiny_checkpoint), Limits(cache=0))
    try:
        assert np.array_equal(engine.draw(A), engine.draw(A))
        assert engine.stats().cached == engine.stats().cache_hits == 0
    finally:
        engine.close()


def test_precomputed_grids_are_in_the_strip_at_once_and_are_drawn_when_looked_at(gate: Gate) -> None:
    shipped = Frame(A, 0, A.evaluations, np.zeros((1, 1, 4, 8, 8, 1), np.uint8), precomputed=True)
    engine = Engine(Model(replace_denoiser(gate), (shipped,)))
    try:
        token = engine.admit()
        view = engine.want(token, [A], [A])
        assert [frame.pixels is shipped.pixels for frame in view.strip] == [True]
        assert view.strip[0].precomputed
        gate.release()
        [drawn, still] = finished(engine, token, [A], [A])
        assert not drawn.precomputed
        assert drawn.serial != still.serial
        assert np.array_equal(drawn.pixels, alone(gate, A))
    finally:
        gate.release()
        engine.close()


# ---- strips --------------------------------------------------------------------------------------------------------


def test_a_strip_comes_after_what_is_looked_at_and_is_the_loop_s(engine: Engine) -> None:
    token = engine.admit()
    rungs = strip(A)
    frames = finished(engine, token, [A, replace(A, w=(0.0,))], rungs)
    assert [frame.request for frame in frames[2:]] == list(rungs)
    for frame in frames:
        assert np.array_equal(frame.pixels, alone(engine.checkpoint.denoiser, frame.request))


def test_nothing_of_a_strip_is_drawn_while_a_picture_is_missing(gate: Gate, gated: Engine) -> None:
    token, unguided = gated.admit(), replace(A, w=(0.0,))
    gated.want(token, [A, unguided], [B])
    gate.release()
    finished(gated, token, [A, unguided], [B])
    assert gate.rows == [8] * 5 + [4] * 5 + [8] * 5, "the guided grid, the unguided one, the strip"


# ---- nobody waits too long -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 12, 50])
def test_a_glutton_delays_another_by_no_more_than_two_turns(gate: Gate, gated: Engine, steps: int) -> None:
    glutton, other = gated.admit(), gated.admit()
    gluttony = replace(A, samples=64, steps=steps)
    gated.want(glutton, [gluttony], strip(gluttony))
    gate.arrived()
    for _ in range(7):
        gate.step()
    before = len(gate.rows)
    mine = replace(A, samples=16)
    gated.want(other, [mine])
    turns = 0
    while not gated.want(other, [mine]).frames[0].done:
        gate.step()
        gated.want(glutton, [replace(gluttony, seed=turns)], strip(replace(gluttony, seed=turns)))
        turns += 1
    assert len(gate.rows) - before <= mine.evaluations + 2
    assert gated.want(other, [mine]).frames[0].error is None


def test_nobody_starves_while_others_keep_coming(gate: Gate, gated: Engine) -> None:
    patient = gated.admit()
    long = replace(A, samples=64)
    gated.want(patient, [long])
    gate.arrived()
    seed = 0
    impatient = [gated.admit() for _ in range(4)]
    for _ in range(400):
        for token in impatient:
            seed += 1
            gated.want(token, [replace(A, samples=16, seed=seed, steps=1)])
        gate.step()
        if gated.want(patient, [long]).frames[0].done:
            break
    assert gated.want(patient, [long]).frames[0].done


def test_everybody_hears_how_many_are_before_them(gate: Gate, gated: Engine) -> None:
    tokens = [gated.admit() for _ in range(4)]
    for samples, token in enumerate(tokens, start=2):
        gated.want(token, [replace(A, samples=8 * samples)])
    gate.arrived()
    gate.step()
    aheads = [
        gated.want(token, [replace(A, samples=8 * samples)]).ahead for samples, token in enumerate(tokens, start=2)
    ]
    assert aheads == [0, 1, 2, 3]


# ---- at the door ---------------------------------------------------------------------------------------------------


@pytest.fixture
def crowded(tiny_checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(Model(tiny_checkpoint), Limits(people=2, line=2, pictures=40, steps=20, work=500))
    yield engine
    engine.close()


def test_when_the_lab_is_full_one_stands_in_line_and_moves_up(crowded: Engine) -> None:
    tokens = [crowded.admit() for _ in range(4)]
    views = [crowded.want(token, [A]) for token in tokens]
    assert [view.door for view in views] == [0, 0, 1, 2]
    assert not views[2].frames
    with pytest.raises(ServiceFull, match="The lab is full, and 2 people wait at its door"):
        crowded.admit()
    crowded.leave(tokens[0])
    assert [crowded.want(token, [A]).door for token in tokens[1:]] == [0, 0, 1]
    assert finished(crowded, tokens[2], [A])[0].pixels is not None
    crowded.admit()


def test_a_newcomer_who_never_asks_is_soon_forgotten(crowded: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "UNHEARD", 0.01)
    for _ in range(4):
        crowded.admit()
    deadline = time.monotonic() + PATIENCE
    while crowded._people:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    crowded.admit()


def test_what_is_beyond_the_limits_is_refused_in_a_sentence(crowded: Engine) -> None:
    token = crowded.admit()
    with pytest.raises(ValueError, match="samples must be a whole number from 1 to 40, got 41"):
        crowded.want(token, [replace(A, samples=41)])
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to 20, got 21"):
        crowded.want(token, [A], [replace(A, steps=21)])
    with pytest.raises(ValueError, match="pictures × evaluations must be a whole number from 1 to 500, got 520"):
        crowded.want(token, [replace(A, samples=40, steps=13)])
    assert finished(crowded, token, [A])[0].error is None


@pytest.mark.parametrize("field", ["people", "line", "pictures", "steps", "work", "cache", "samples"])
def test_limits_out_of_range_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} must be a whole number from"):
        Limits(**{field: -1})


# ---- faults --------------------------------------------------------------------------------------------------------


def test_what_fails_fails_alone(gate: Gate, gated: Engine) -> None:
    mine, yours = gated.admit(), gated.admit()
    gate.poison = 5
    bad = replace(A, classes=(5,))
    gated.want(mine, [A])
    gated.want(yours, [bad])
    gate.release()
    [good_frame], [bad_frame] = finished(gated, mine, [A]), finished(gated, yours, [bad])
    assert bad_frame.error == "The pictures could not be drawn: poisoned"
    assert good_frame.error is None
    gate.poison = None
    assert np.array_equal(good_frame.pixels, alone(gated.checkpoint.denoiser, A))
    [again] = finished(gated, gated.admit(), [bad])
    assert np.array_equal(again.pixels, alone(gated.checkpoint.denoiser, bad))


def test_out_of_memory_halves_the_batch_and_goes_on(gate: Gate) -> None:
    engine = Engine(Model(replace_denoiser(gate)), Limits(samples=64))
    gate.largest = 20
    try:
        token, wide = engine.admit(), replace(A, samples=64)
        engine.want(token, [wide])
        gate.release()
        [frame] = finished(engine, token, [wide])
        assert frame.error is None
        assert engine._samples == 16
        gate.largest = None
        assert np.array_equal(frame.pixels, alone(gate, wide))
    finally:
        engine.close()


def test_what_fails_while_it_is_shown_fails_alone(gated: Engine, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    show = GridJob.show

    def late(work: GridJob, *arguments: Any) -> bool:
        if work.request == B:
            raise RuntimeError("a late error of the device")
        return show(work, *arguments)

    monkeypatch.setattr(GridJob, "show", late)
    mine, yours = gated.admit(), gated.admit()
    gated.want(mine, [A])
    gated.want(yours, [B])
    gate.release()
    assert finished(gated, yours, [B])[0].error == "The pictures could not be drawn: a late error of the device"
    assert np.array_equal(finished(gated, mine, [A])[0].pixels, alone(gated.checkpoint.denoiser, A))


def test_out_of_memory_for_the_smallest_batch_is_a_sentence(gate: Gate, gated: Engine) -> None:
    gate.largest = 3
    gate.release()
    with pytest.raises(RuntimeError, match="too many samples"):
        gated.draw(A)


def test_a_worker_that_breaks_down_is_restarted_and_those_who_wait_are_told(
    gate: Gate, gated: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    token = gated.admit()
    gated.want(token, [A])
    gate.arrived()
    gate.failure = SystemExit()
    gate.release()
    [frame] = finished(gated, token, [A])
    assert frame.error == "The worker broke down and was restarted; what is asked for next will be drawn."
    assert "worker restarted" in caplog.text
    gate.failure = None
    assert np.array_equal(gated.draw(B), alone(gated.checkpoint.denoiser, B))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_is_dead_is_replaced_by_whoever_wants_something(
    gate: Gate, gated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left for the log")

    token, worker = gated.admit(), gated._worker
    gated.want(token, [A])
    gate.arrived()
    with monkeypatch.context() as broken:
        broken.setattr(log, "exception", full)
        gate.failure = SystemExit()
        gate.release()
        worker.join(PATIENCE)
    gate.failure = None
    assert not worker.is_alive()
    assert np.array_equal(gated.draw(B), alone(gated.checkpoint.denoiser, B))
    assert finished(gated, token, [A])[0].error is None


def test_stats_say_how_it_does(gate: Gate, gated: Engine) -> None:
    token, idle = gated.admit(), gated.admit()
    gated.want(token, [A])
    gated.want(idle, [])
    gate.arrived()
    gate.step()
    stats = gated.stats()
    assert (stats.people, stats.at_the_door, stats.waiting, stats.samples_in_flight) == (2, 0, 1, A.samples)
    assert (stats.turns, stats.evaluations, stats.first_picture_p50) == (2, A.samples, None)
    gate.release()
    finished(gated, token, [A])
    stats = gated.stats()
    assert (stats.waiting, stats.samples_in_flight, stats.cached) == (0, 0, 1)
    assert stats.evaluations == A.samples * A.evaluations
    assert 0 < stats.first_picture_p50 <= stats.first_picture_p95 < PATIENCE


# ---- whatever people do --------------------------------------------------------------------------------------------

REQUESTS = st.builds(
    lambda **fields: GridRequest("0123456789ab", **fields),
    classes=st.sampled_from([(0,), (1,), (2, 3)]),
    w=st.sampled_from([(0.0,), (2.0,), (-1.0,)]),
    samples=st.sampled_from([1, 5, 20]),
    seed=st.integers(0, 2),
    sampler=st.sampled_from(["dpmpp_2m", "heun"]),
    steps=st.integers(1, 4),
)
PERSON = st.integers(0, 5)
ACTIONS = st.one_of(
    st.tuples(st.just("enter"), PERSON),
    st.tuples(st.just("leave"), PERSON),
    st.tuples(st.just("want"), PERSON, st.lists(REQUESTS, max_size=2), st.booleans()),
    st.tuples(st.just("silence"), PERSON),
    st.tuples(st.just("listen"), PERSON),
    st.tuples(st.just("film"), PERSON),
    st.tuples(st.sampled_from(["break", "mend"]), st.just(None)),
    st.tuples(st.just("finish"), PERSON),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTIONS, max_size=25))
def test_whatever_people_do_they_get_their_own_pictures_and_nothing_is_left(
    tiny_checkpoint: Checkpoint, actions: list[Any]
) -> None:
    gate = Gate(tiny_checkpoint.denoiser)
    gate.open = True
    engine = Engine(Model(replace_denoiser(gate)), Limits(people=3, line=1, samples=32))
    engine._cache = type(engine._cache)(20_000, engine._cache.getsizeof)
    tokens: dict[int, str] = {}
    everybody: list[str] = []
    wishes: dict[int, list[GridRequest]] = {}
    for action, who, *rest in actions:
        with contextlib.suppress(UnknownSession, ServiceFull):
            if who is None:
                gate.failure = RuntimeError("broken") if action == "break" else None
            elif action == "enter":
                tokens[who] = engine.admit()
                everybody.append(tokens[who])
                wishes[who] = []
            elif who not in tokens:
                continue
            elif action == "leave":
                engine.leave(tokens[who])
            elif action == "want":
                wishes[who] = rest[0]
                view = engine.want(tokens[who], rest[0], strip(rest[0][0]) if rest[0] and rest[1] else ())
                assert [f.request for f in view.frames] == ([] if view.door else rest[0])
            elif action == "silence":
                if person := engine._people.get(tokens[who]):
                    person.seen -= SILENCE + 1
            elif action == "listen":
                asyncio.run(engine.news(tokens[who], engine.want(tokens[who], wishes[who]).version, 0.002))
            elif action == "film":
                assert all(frame.pixels is not None for film in engine.film(tokens[who]) for frame in film)
            elif not engine.want(tokens[who], wishes[who]).door:
                for frame, request in zip(finished(engine, tokens[who], wishes[who]), wishes[who], strict=True):
                    assert frame.request == request
                    if frame.error is None:
                        assert np.array_equal(frame.pixels, alone(tiny_checkpoint.denoiser, request))
                    else:
                        assert frame.error == "The pictures could not be drawn: broken"
                assert not any(person.listeners for person in engine._people.values())
        assert engine.stats().cached_bytes <= 20_000
    for token in everybody:
        engine.leave(token)
    deadline = time.monotonic() + PATIENCE
    while engine._active and time.monotonic() < deadline:
        time.sleep(0.001)
    stats = engine.stats()
    assert (stats.people, stats.at_the_door, stats.waiting, stats.samples_in_flight) == (0, 0, 0, 0)
    assert not engine._active
    engine.close()
    assert not engine._worker.is_alive()
