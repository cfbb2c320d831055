"""The engine: the grids of all sessions together, each exactly what the sampling loop gives for it alone."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from cfg_core.grids.ladder import strip
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.engine import Engine
from tests.serving.helpers import PATIENCE, A, B, Gate, alone, finished


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_drawn_grid_is_the_loop_s_bit_for_bit(engine: Engine, sampler: str) -> None:
    request = replace(A, classes=(7, 2), w=(-1.0, 0.0, 0.3, 8.0), samples=3, sampler=sampler, parameters=())
    drawn = engine.draw(request)
    assert drawn.shape == (4, 2, 3, 8, 8, 1)
    assert drawn.dtype == np.uint8
    assert drawn.std() > 10, "the tiny network must draw something, or equality says nothing"
    assert np.array_equal(drawn, alone(engine.checkpoint.denoiser, request))


def test_a_coroutine_gets_the_same_grid(engine: Engine) -> None:
    assert np.array_equal(asyncio.run(engine.draw_async(A)), alone(engine.checkpoint.denoiser, A))
    assert engine.sessions.tokens == []


def test_coroutines_that_wait_for_grids_hold_no_thread(gate: Gate, gated: Engine) -> None:
    async def draw_all() -> list[np.ndarray]:
        drawing = [asyncio.ensure_future(gated.draw_async(replace(A, seed=seed))) for seed in range(20)]
        before = threading.active_count()
        await asyncio.sleep(0)
        assert len(gated.sessions) == 20
        assert threading.active_count() == before
        gate.release()
        return await asyncio.wait_for(asyncio.gather(*drawing), PATIENCE)

    drawn = asyncio.run(draw_all())
    assert np.array_equal(drawn[7], alone(gated.checkpoint.denoiser, replace(A, seed=7)))


def test_a_coroutine_that_is_cancelled_frees_what_it_demanded(gate: Gate, gated: Engine) -> None:
    async def cancel() -> None:
        drawing = asyncio.ensure_future(gated.draw_async(A))
        await asyncio.to_thread(gate.arrived)
        drawing.cancel()
        await asyncio.wait([drawing])

    asyncio.run(cancel())
    assert gated.sessions.tokens == []


def test_a_picture_is_the_same_in_a_crowd(gate: Gate, gated: Engine) -> None:
    others = [
        replace(A, classes=(1,), w=(0.0,), samples=9),
        replace(A, sampler="heun", steps=3, seed=1),
        replace(A, sampler="ancestral", steps=8, w=(-1.0,), parameters=()),
    ]
    tokens = [gated.admit() for _ in others]
    for token, request in zip(tokens, others, strict=True):
        gated.set_demand(token, [request])
    gate.arrived()
    gate.step()
    mine = gated.admit()
    gated.set_demand(mine, [A])  # joins while the others are on their way
    gate.release()
    [frame] = finished(gated, mine, [A])
    assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, A))
    for token, request in zip(tokens, others, strict=True):
        [frame] = finished(gated, token, [request])
        assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, request))
    assert max(gate.rows) > 2 * A.samples, "the grids were to be evaluated together"


def test_another_demand_replaces_at_the_next_evaluation(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    gated.set_demand(token, [A])
    gate.arrived()  # the first evaluation, of A alone
    [old] = gated.sessions.get(token).displayed
    gated.set_demand(token, [B])
    gate.step()  # the second, of B alone
    assert old.frame.evaluations == 1
    gate.step()
    gate.release()
    [frame] = finished(gated, token, [B])
    assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, B))
    assert old.frame.evaluations == 1
    assert len(gate.rows) == 1 + B.evaluations + B.evaluations  # the last ones are alone()'s


def test_a_grid_that_is_demanded_again_goes_on(gate: Gate, gated: Engine) -> None:
    token, unguided = gated.admit(), replace(A, w=(0.0,))
    first = gated.set_demand(token, [unguided, A]).frames
    gate.arrived()
    gate.step()
    second = gated.set_demand(token, [unguided, B]).frames
    assert second[0].serial == first[0].serial
    assert second[0].evaluations == 1
    assert second[1].serial not in {frame.serial for frame in first}
    assert second[1].evaluations == 0
    gate.release()
    assert [frame.serial for frame in finished(gated, token, [unguided, B])] == [frame.serial for frame in second]


def test_no_session_gets_another_s_frames(gate: Gate, gated: Engine) -> None:
    mine, yours = gated.admit(), gated.admit()
    assert mine != yours
    gated.set_demand(mine, [A]), gated.set_demand(yours, [B])
    gate.release()
    [my_frame], [your_frame] = finished(gated, mine, [A]), finished(gated, yours, [B])
    assert (my_frame.request, your_frame.request) == (A, B)
    assert my_frame.serial != your_frame.serial


def test_a_strip_comes_after_what_is_displayed_and_is_the_loop_s(engine: Engine) -> None:
    token = engine.admit()
    rungs = strip(A)
    frames = finished(engine, token, [A, replace(A, w=(0.0,))], rungs)
    assert [frame.request for frame in frames[2:]] == list(rungs)
    for frame in frames:
        assert np.array_equal(frame.pixels, alone(engine.checkpoint.denoiser, frame.request))


def test_nothing_of_a_strip_is_drawn_while_a_displayed_grid_is_missing(gate: Gate, gated: Engine) -> None:
    token, unguided = gated.admit(), replace(A, w=(0.0,))
    gated.set_demand(token, [A, unguided], [B])
    gate.release()
    finished(gated, token, [A, unguided], [B])
    assert gate.rows == [8] * 5 + [4] * 5 + [8] * 5, "the guided grid, the unguided one, the strip"


def test_close_ends_the_worker(engine: Engine) -> None:
    engine.close()
    assert not engine.worker.alive


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
    assert gated.wait_for(lambda: gated.closed, PATIENCE)
    gate.release()
    drawing.join(PATIENCE)
    closing.join(PATIENCE)
    assert "closed" in str(failures[0])


def test_a_coroutine_s_drawing_ends_when_the_engine_is_closed(gate: Gate, gated: Engine) -> None:
    async def draw() -> None:
        drawing = asyncio.ensure_future(gated.draw_async(A))
        await asyncio.to_thread(gate.arrived)
        closing = threading.Thread(target=gated.close, daemon=True)
        closing.start()
        with pytest.raises(RuntimeError, match="closed before the pictures were drawn"):
            await asyncio.wait_for(drawing, PATIENCE)
        gate.release()

    asyncio.run(draw())
