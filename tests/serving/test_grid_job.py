"""A grid job is, in every block and at every evaluation, what the sampling loop gives for the whole of it."""

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor

from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.grids.drawing import begin_grid, draw_grid, pixels
from cfg_core.grids.request import GridRequest
from cfg_core.sampling.loop import advance_jobs, generate
from cfg_core.serving import grid_job as job_module
from cfg_core.serving.grid_job import BLOCK, Frame, GridJob

A = GridRequest("0123456789ab", (3, 5, 7), (2.0,), samples=14, steps=6)


def drawn(denoiser: NetworkDenoiser, request: GridRequest) -> list[np.ndarray]:
    states = generate(denoiser, begin_grid(denoiser, request))
    return [pixels(request, state.x) for state, _ in states if state.x is not None]


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "heun", "ancestral"])
def test_blocks_that_advance_in_turn_draw_the_same_frames(tiny_denoiser: NetworkDenoiser, sampler: str) -> None:
    request = replace(A, sampler=sampler, parameters=())
    job, frames = GridJob(Frame(request, 0)), []
    assert job.pending_blocks == 3
    while not job.frame.done:
        advance_jobs(tiny_denoiser, job.next_blocks(tiny_denoiser, 2))  # two of three blocks, then the third alone
        if job.update_frame():
            frames.append(job.frame)
    assert [frame.evaluations for frame in frames] == list(range(1, request.evaluations + 1))
    for frame, picture in zip(frames, drawn(tiny_denoiser, request), strict=True):
        assert frame.pixels is not None
        assert np.array_equal(frame.pixels, picture)


class Latents(NetworkDenoiser):
    """A network's samples, seen twice as large; it counts how often."""

    decoded = 0

    @property
    def picture_shape(self) -> tuple[int, ...]:
        return 1, 16, 16

    def pictures(self, x: Tensor) -> Tensor:
        self.decoded += 1
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.fixture
def latents(tiny_denoiser: NetworkDenoiser) -> Latents:
    return Latents(tiny_denoiser.network, tiny_denoiser.schedule, tiny_denoiser.classes)


@pytest.mark.parametrize(
    ("steps", "seen", "trajectory"),
    [(4, [1, 2, 3, 4], [1, 2, 3, 4]), (20, [1, 3, 6, 9, 12, 15, 18, 20], [3, 6, 9, 12, 15, 18, 20])],
)
def test_latents_are_decoded_for_some_of_the_frames_on_the_way(
    latents: Latents, steps: int, seen: list[int], trajectory: list[int]
) -> None:
    request = replace(A, classes=(3,), steps=steps)
    job, frames = GridJob(Frame(request, 0)), []
    for made in range(1, steps + 1):
        advance_jobs(latents, job.next_blocks(latents, 1))
        if job.update_frame():
            frames.append(job.frame)
        assert job.remaining == request.pictures * (steps - made)
    assert [frame.evaluations for frame in frames] == seen
    assert latents.decoded == len(seen)
    assert [frame.evaluations for frame in job.trajectory] == trajectory
    assert job.frame.done
    assert job.frame.pixels is not None
    assert np.array_equal(job.frame.pixels, draw_grid(latents, request))


def test_what_is_left_to_do_falls_to_nothing(tiny_denoiser: NetworkDenoiser) -> None:
    job = GridJob(Frame(A, 0))
    assert (job.remaining, job.samples_in_flight) == (42 * 6, 0)
    advance_jobs(tiny_denoiser, job.next_blocks(tiny_denoiser, 1))
    assert not job.update_frame(), "a grid is shown when all of its blocks have come as far"
    assert (job.remaining, job.samples_in_flight, job.pending_blocks) == (42 * 6, BLOCK, 2)
    while not job.frame.done:
        advance_jobs(tiny_denoiser, job.next_blocks(tiny_denoiser, 3))
        job.update_frame()
    assert (job.remaining, job.samples_in_flight, job.pending_blocks) == (0, 0, 0)


def trajectory(denoiser: NetworkDenoiser) -> list[Frame]:
    job = GridJob(Frame(A, 0))
    while not job.frame.done:
        advance_jobs(denoiser, job.next_blocks(denoiser, 3))
        job.update_frame()
    kept = [array for frame in job.trajectory for array in (frame.pixels, frame.noisy)]
    assert job.nbytes == sum(array.nbytes for array in kept if array is not None)
    return job.trajectory


def test_a_trajectory_has_every_evaluation(tiny_denoiser: NetworkDenoiser) -> None:
    assert [frame.evaluations for frame in trajectory(tiny_denoiser)] == [1, 2, 3, 4, 5, 6]


def test_a_trajectory_has_z_as_it_is_after_each_step(tiny_denoiser: NetworkDenoiser) -> None:
    steps = generate(tiny_denoiser, begin_grid(tiny_denoiser, A))
    for frame, (state, _) in zip(trajectory(tiny_denoiser), steps, strict=True):
        assert frame.noisy is not None
        assert np.array_equal(frame.noisy, pixels(A, state.z))


@pytest.mark.parametrize(("frames", "kept"), [(3, [2, 4, 6]), (2, [3, 6]), (0.5, [6])])
def test_a_trajectory_that_would_be_too_long_is_thinned_out(
    tiny_denoiser: NetworkDenoiser, monkeypatch: pytest.MonkeyPatch, frames: float, kept: list[int]
) -> None:
    monkeypatch.setattr(job_module, "TRAJECTORY_BYTES", int(frames * 2 * 42 * 64))
    assert [frame.evaluations for frame in trajectory(tiny_denoiser)] == kept


def test_what_failed_keeps_its_last_pictures_and_holds_no_memory(tiny_denoiser: NetworkDenoiser) -> None:
    job = GridJob(Frame(A, 0))
    advance_jobs(tiny_denoiser, job.next_blocks(tiny_denoiser, 3))
    job.update_frame()
    before = job.frame
    job.fail("It broke.")
    assert job.frame.done
    assert job.frame.error == "It broke."
    assert job.frame.pixels is before.pixels
    assert (job.samples_in_flight, job.update_frame()) == (0, False)
