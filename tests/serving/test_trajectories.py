"""Trajectories for all pages: one drawing for equal requests, kept, bounded, ended when nobody waits."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from cfg_core.grids.request import GridRequest
from cfg_core.grids.trajectory import draw_trajectory, guided_at, step_bytes
from cfg_core.serving import trajectories as module
from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.trajectories import Progress, Trajectories

REQUEST = GridRequest("0123456789ab", (3,), w=(2.0,), samples=2, steps=3)


class Held:
    """Drawings that wait until they are let go, each with what it was asked to draw."""

    def __init__(self, monkeypatch):
        self.go, self.drawn = threading.Event(), []
        monkeypatch.setattr(module, "draw_trajectory", self.draw)
        monkeypatch.setattr(module, "WAIT", 0.01)

    def draw(self, denoiser, request, proceed):
        self.drawn.append(request)
        proceed(1)
        assert self.go.wait(60)
        return draw_trajectory(denoiser, request, proceed)


async def found(trajectories, denoiser, request):
    while isinstance(result := await trajectories.find(denoiser, request), Progress):
        pass
    return result


def test_equal_requests_are_one_drawing_which_is_kept(tiny_denoiser, monkeypatch):
    held = Held(monkeypatch)

    async def ask():
        trajectories = Trajectories()
        first = await trajectories.find(tiny_denoiser, REQUEST)
        held.go.set()
        many = await asyncio.gather(*(found(trajectories, tiny_denoiser, REQUEST) for _ in range(5)))
        return first, [*many, await trajectories.find(tiny_denoiser, REQUEST)]

    progress, results = asyncio.run(ask())
    assert progress == Progress(1, 3, 0)
    assert held.drawn == [REQUEST]
    assert len(set(map(id, results))) == 1
    assert np.array_equal(results[0].parts, draw_trajectory(tiny_denoiser, REQUEST).parts)


def test_one_is_drawn_at_a_time_and_the_others_are_told_how_many_come_first(tiny_denoiser, monkeypatch):
    held = Held(monkeypatch)

    async def ask():
        trajectories = Trajectories()
        requests = [replace(REQUEST, seed=seed) for seed in range(3)]
        waiting = [await trajectories.find(tiny_denoiser, request) for request in requests]
        begun = len(held.drawn)
        held.go.set()
        await asyncio.gather(*(found(trajectories, tiny_denoiser, request) for request in requests))
        return begun, [each.ahead for each in waiting]

    assert asyncio.run(ask()) == (1, [0, 1, 2])


def test_a_drawing_that_nobody_waits_for_is_ended_and_drawn_anew_when_asked_for_again(tiny_denoiser, monkeypatch):
    held = Held(monkeypatch)
    monkeypatch.setattr(module, "GRACE", -1)

    async def ask():
        trajectories = Trajectories()
        await trajectories.find(tiny_denoiser, REQUEST)
        held.go.set()
        while trajectories.waiting:
            await asyncio.sleep(0.01)
        kept = trajectories.nbytes
        return kept, await found(trajectories, tiny_denoiser, REQUEST)

    kept, trajectory = asyncio.run(ask())
    assert kept == 0
    assert trajectory.request == REQUEST
    assert held.drawn == [REQUEST, REQUEST]


def test_what_is_kept_is_bounded_and_what_is_too_large_is_refused_before_it_is_drawn(tiny_denoiser):
    capacity = 8 * step_bytes(tiny_denoiser)

    async def ask():
        trajectories = Trajectories(capacity)
        for seed in range(3):
            await found(trajectories, tiny_denoiser, replace(REQUEST, seed=seed))
            assert 0 < trajectories.nbytes <= capacity
        with pytest.raises(ValueError, match="pictures × steps must be a whole number from 1 to 8, got 10"):
            await trajectories.find(tiny_denoiser, replace(REQUEST, steps=5))

    asyncio.run(ask())


def test_more_than_may_wait_are_refused(tiny_denoiser, monkeypatch):
    held = Held(monkeypatch)
    monkeypatch.setattr(module, "QUEUE", 2)

    async def ask():
        trajectories = Trajectories()
        for seed in range(2):
            await trajectories.find(tiny_denoiser, replace(REQUEST, seed=seed))
        with pytest.raises(ServiceFull, match="2 others wait"):
            await trajectories.find(tiny_denoiser, replace(REQUEST, seed=2))
        held.go.set()
        return await found(trajectories, tiny_denoiser, replace(REQUEST, seed=1))

    assert asyncio.run(ask()).request.seed == 1


def test_one_that_fails_is_a_sentence_and_the_next_is_drawn(tiny_denoiser, monkeypatch):
    def fail(denoiser, request, proceed):
        raise MemoryError("no room")

    async def ask():
        trajectories = Trajectories()
        with monkeypatch.context() as broken:
            broken.setattr(module, "draw_trajectory", fail)
            with pytest.raises(RuntimeError, match="The steps could not be drawn: no room"):
                await found(trajectories, tiny_denoiser, REQUEST)
        return await found(trajectories, tiny_denoiser, REQUEST)

    assert asyncio.run(ask()).request == REQUEST


def test_a_guided_prediction_is_combined_in_its_own_thread(tiny_denoiser):
    async def ask():
        trajectories = Trajectories()
        trajectory = await found(trajectories, tiny_denoiser, REQUEST)
        return trajectory, await trajectories.guided(tiny_denoiser, trajectory, 1, 2, 5.0)

    trajectory, guided = asyncio.run(ask())
    for part, expected in zip(guided, guided_at(tiny_denoiser, trajectory, 1, 2, 5.0), strict=True):
        assert np.array_equal(part, expected)
