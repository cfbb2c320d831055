"""Equal requests are one computation, and finished grids are kept within a bound in bytes."""

from dataclasses import replace

import numpy as np

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.grids.request import GridRequest
from cfg_core.serving.cache import GridCache
from cfg_core.serving.engine import Engine
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from tests.serving.helpers import A, B, Gate, alone, finished


def pixels(request: GridRequest, value: int = 0) -> np.ndarray:
    return np.full((1, 1, request.samples, 8, 8, 1), value, np.uint8)


def test_a_request_has_one_job_until_it_is_dropped_or_has_failed() -> None:
    cache = GridCache(20_000)
    job = cache.job(A)
    assert cache.job(replace(A)) is job
    assert cache.job(B) is not job
    cache.retain([job])
    assert list(cache.in_progress) == [A]
    job.fail("It broke.")
    again = cache.job(A)
    assert again is not job
    assert again.frame.serial != job.frame.serial
    cache.retain([])
    assert cache.job(A) is not again
    assert cache.hits == 0


def test_what_finished_is_kept_and_what_failed_is_not() -> None:
    cache = GridCache(20_000)
    finished_job, failed, unfinished = cache.job(A), cache.job(B), cache.job(replace(A, seed=1))
    finished_job.finish(pixels(A))
    failed.fail("It broke.")
    for job in (finished_job, failed, unfinished):
        cache.keep(job)
    cache.retain([])
    assert cache.job(A) is finished_job
    assert (len(cache), cache.nbytes, cache.hits) == (1, A.samples * 64, 1)
    assert cache.job(B) is not failed


def test_the_least_recently_used_grid_is_dropped_first() -> None:
    cache = GridCache(2 * A.samples * 64)
    jobs = [cache.job(replace(A, seed=seed)) for seed in range(3)]
    for job in jobs[:2]:
        job.finish(pixels(A))
        cache.keep(job)
    cache.retain([])
    assert cache.job(jobs[0].request) is jobs[0]
    jobs[2].finish(pixels(A))
    cache.keep(jobs[2])
    assert cache.job(jobs[0].request) is jobs[0]
    assert cache.job(jobs[1].request) is not jobs[1]


def test_precomputed_grids_have_serials_of_their_own() -> None:
    cache = GridCache(20_000)
    cache.add_precomputed(Frame(r, 0, r.evaluations, pixels(r), precomputed=True) for r in (A, B))
    first, second = cache.precomputed(A), cache.precomputed(B)
    assert first is not None
    assert second is not None
    assert len({first.frame.serial, second.frame.serial, cache.job(A).frame.serial}) == 3
    assert cache.precomputed(replace(A, seed=1)) is None


def test_two_sessions_with_the_same_demand_share_one_computation(gate: Gate, gated: Engine) -> None:
    tokens = gated.admit(), gated.admit()
    for token in tokens:
        gated.set_demand(token, [A])
    gate.release()
    [mine], [yours] = (finished(gated, token, [A]) for token in tokens)
    assert mine is yours
    assert gate.rows == [2 * A.samples] * A.evaluations


def test_a_shared_computation_goes_on_when_one_of_them_leaves(gate: Gate, gated: Engine) -> None:
    mine, yours = gated.admit(), gated.admit()
    for token in (mine, yours):
        gated.set_demand(token, [A])
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
    view = gated.set_demand(token, [A])
    assert view.frames[0].done
    assert np.array_equal(view.frames[0].pixels, first)
    assert len(gate.rows) == made
    assert gated.stats().cache_hits == 1
    assert gated.trajectories(token)[0][-1].pixels is view.frames[0].pixels


def test_the_cache_never_exceeds_its_bound(tiny_checkpoint: Checkpoint) -> None:
    engine = Engine(Model(tiny_checkpoint), cache=GridCache(20_000))  # three of the grids below
    try:
        for seed in range(8):
            engine.draw(replace(A, seed=seed, samples=10))
            assert engine.stats().cached_bytes <= 20_000
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


def test_precomputed_grids_are_in_the_strip_at_once_and_are_drawn_when_displayed(gate: Gate) -> None:
    shipped = Frame(A, 0, A.evaluations, np.zeros((1, 1, 4, 8, 8, 1), np.uint8), precomputed=True)
    engine = Engine(Model(gate.checkpoint, (shipped,)))
    try:
        token = engine.admit()
        view = engine.set_demand(token, [A], [A])
        assert [frame.pixels is shipped.pixels for frame in view.prefetched] == [True]
        assert view.prefetched[0].precomputed
        gate.release()
        [drawn, still] = finished(engine, token, [A], [A])
        assert not drawn.precomputed
        assert drawn.serial != still.serial
        assert np.array_equal(drawn.pixels, alone(gate, A))
    finally:
        gate.release()
        engine.close()
