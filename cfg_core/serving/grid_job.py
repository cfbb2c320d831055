"""The computation of one grid: blocks of samples that advance one by one, the latest frame, the trajectory."""

import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.evaluation.meters import Measure, Meter
from cfg_core.grids.drawing import begin_grid, pixels
from cfg_core.grids.request import GridRequest
from cfg_core.sampling.loop import Job

BLOCK = 16
"""Samples that advance together; a larger grid is several blocks, so that no evaluation round is long."""


TRAJECTORY_BYTES = 2**20
"""Bound of a trajectory's pixels; one that would be longer keeps every second frame, every third, and so on."""


LATENT_FRAMES = 8
"""About how many frames of latents are decoded on their way; to decode at every evaluation would delay all sessions."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A grid after some of its evaluations.

    serial: of its job. pixels: (w, class, sample, S, S, C) uint8, the clean samples as predicted at this evaluation;
    None before the first. noisy: the same of z as it is after the step; in trajectories only, and not of latents.
    seconds: since the request. precomputed: shipped with the app, not computed by it. error: one sentence, where the
    job ended early. meter: of the finished pictures, where there is a classifier of clean images.
    """

    request: GridRequest
    serial: int
    evaluations: int = 0
    pixels: np.ndarray | None = None
    noisy: np.ndarray | None = None
    seconds: float = 0.0
    precomputed: bool = False
    error: str | None = None
    meter: Meter | None = None

    @cached_property  # the scheduler reads it for every job in every round
    def done(self) -> bool:
        return self.error is not None or self.evaluations == self.request.evaluations


class GridJob:
    """The computation of one request. The worker calls ``next_blocks``, advances them, and calls ``update_frame``;
    ``frame`` is replaced, never changed."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.trajectory: list[Frame] = []
        self._begun_at = time.monotonic()
        self._evaluations = frame.evaluations
        self._blocks: list[Job | None] = [] if frame.done else [None] * -(-frame.request.pictures // BLOCK)

    @property
    def request(self) -> GridRequest:
        return self.frame.request

    @property
    def remaining(self) -> int:
        """Evaluations of one sample that are still to be made, summed over all samples."""
        return self.request.pictures * (self.request.evaluations - self._evaluations)

    @property
    def samples_in_flight(self) -> int:
        """Samples whose state is held in memory."""
        return sum(len(job.labels) for job in self._blocks if job)

    @property
    def nbytes(self) -> int:
        """Bytes of pixels that it holds."""
        frames = (self.frame, *self.trajectory)
        kept = {id(each): each for frame in frames for each in (frame.pixels, frame.noisy) if each is not None}
        return sum(each.nbytes for each in kept.values())

    @property
    def pending_blocks(self) -> int:
        """Blocks that still have to make the next evaluation."""
        return len(self._pending())

    def _pending(self) -> list[int]:
        return [i for i, job in enumerate(self._blocks) if job is None or job.state.evaluations == self._evaluations]

    def next_blocks(self, denoiser: Denoiser, count: int) -> list[Job]:
        """Up to ``count`` blocks that still have to make the next evaluation, begun where they were not."""
        self._denoiser = denoiser
        jobs = []
        for i in self._pending()[:count]:
            job = self._blocks[i] or begin_grid(denoiser, self.request, slice(i * BLOCK, (i + 1) * BLOCK))
            self._blocks[i] = job
            jobs.append(job)
        return jobs

    def update_frame(self, measure: Measure | None = None) -> bool:
        """Replace the frame where all blocks have made the next evaluation and it is one to display; returns whether.

        measure: meters of the finished pictures.
        """
        states = [job.state for job in self._blocks if job]
        x = [state.x for state in states if state.x is not None and state.evaluations > self._evaluations]
        if self.frame.done or len(x) < len(self._blocks):
            return False
        self._evaluations = at = states[0].evaluations
        request, every = self.request, self._frame_interval()
        if at % every and at not in (1, request.evaluations):
            return False
        drawn = pixels(request, self._denoiser.pictures(torch.cat(x)))
        seconds = time.monotonic() - self._begun_at
        meter = measure(request, drawn) if measure and at == request.evaluations else None
        self.frame = Frame(request, self.frame.serial, at, drawn, seconds=seconds, meter=meter)
        kept = max(1, TRAJECTORY_BYTES // (drawn.nbytes * (1 if self._latents else 2)))
        if self.frame.done or at % (every * -(-request.evaluations // (every * kept))) == 0:
            noisy = None if self._latents else pixels(request, torch.cat([state.z for state in states]))
            self.trajectory.append(replace(self.frame, noisy=noisy))
        if self.frame.done:
            self._blocks = []
        return True

    def _frame_interval(self) -> int:
        """Evaluations from frame to frame; the first and the last evaluation always have one."""
        return -(-self.request.evaluations // LATENT_FRAMES) if self._latents else 1

    @property
    def _latents(self) -> bool:
        return self._denoiser.picture_shape != self._denoiser.shape

    def finish(self, drawn: np.ndarray, measure: Measure | None = None) -> None:
        """End with pictures that a remote GPU drew: (w, class, sample, S, S, C) uint8."""
        seconds, request = time.monotonic() - self._begun_at, self.request
        meter = measure(request, drawn) if measure else None
        self.frame = Frame(request, self.frame.serial, request.evaluations, drawn, seconds=seconds, meter=meter)
        self.trajectory, self._blocks, self._evaluations = [self.frame], [], request.evaluations

    def fail(self, sentence: str) -> None:
        """End early; the latest pictures are kept."""
        self.frame = replace(self.frame, seconds=time.monotonic() - self._begun_at, error=sentence)
        self._blocks = []
