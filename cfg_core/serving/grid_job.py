"""A grid on its way: its samples in blocks that advance one by one, its latest frame, the film of its denoising."""

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.evaluation.meters import Measure, Meter
from cfg_core.grids.drawing import begin_grid, pixels
from cfg_core.grids.request import GridRequest
from cfg_core.sampling.loop import Job

BLOCK = 16
"""Samples that advance together; a larger grid is several blocks, so that no turn of the worker is long."""


FILM_BYTES = 2**20
"""What a film may take; one that would be longer keeps every second step, every third, and so on."""


LATENT_FRAMES = 8
"""About how often latents are seen on their way; their decoder, at every evaluation, would hold everybody up."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A grid after some of its evaluations.

    pixels: (w, class, sample, S, S, C) uint8, the clean samples as they are predicted at this evaluation; None before
    the first. seconds: since the request. precomputed: shipped with the app, not computed by it. error: why it ended
    early, one sentence. meter: of the finished pictures, where there is a classifier that judges.
    """

    request: GridRequest
    serial: int
    evaluations: int = 0
    pixels: np.ndarray | None = None
    seconds: float = 0.0
    precomputed: bool = False
    error: str | None = None
    meter: Meter | None = None

    @cached_property  # every turn asks it of every grid of everybody
    def done(self) -> bool:
        return self.error is not None or self.evaluations == self.request.evaluations


class GridJob:
    """The computation of one request. Its worker calls ``next`` and ``show``; ``frame`` is replaced, never changed."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.film: list[Frame] = []
        self.since = time.monotonic()
        self._made = frame.evaluations
        self._blocks: list[Job | None] = [] if frame.done else [None] * -(-frame.request.pictures // BLOCK)

    @property
    def request(self) -> GridRequest:
        return self.frame.request

    @property
    def remaining(self) -> int:
        """Evaluations still to be made, of all its samples."""
        return self.request.pictures * (self.request.evaluations - self._made)

    @property
    def begun(self) -> int:
        """Samples whose state is held in memory."""
        return sum(len(job.labels) for job in self._blocks if job)

    @property
    def nbytes(self) -> int:
        return sum(frame.pixels.nbytes for frame in {self.frame, *self.film} if frame.pixels is not None)

    @property
    def behind(self) -> int:
        """Blocks that still have to make the next evaluation."""
        return len(self._behind())

    def _behind(self) -> list[int]:
        return [i for i, job in enumerate(self._blocks) if job is None or job.state.evaluations == self._made]

    def next(self, denoiser: Denoiser, blocks: int) -> list[Job]:
        """Up to so many blocks that still have to make the next evaluation, begun where they were not."""
        self._denoiser = denoiser
        jobs = []
        for i in self._behind()[:blocks]:
            job = self._blocks[i] or begin_grid(denoiser, self.request, slice(i * BLOCK, (i + 1) * BLOCK))
            self._blocks[i] = job
            jobs.append(job)
        return jobs

    def show(self, measure: Measure | None = None) -> bool:
        """A new frame, if every block has reached the next evaluation and it is one to be seen; whether there is one.

        measure: what the finished pictures are judged by.
        """
        states = [job.state for job in self._blocks if job]
        x = [state.x for state in states if state.x is not None and state.evaluations > self._made]
        if self.frame.done or len(x) < len(self._blocks):
            return False
        self._made = at = states[0].evaluations
        request, every = self.request, self._every()
        if at % every and at not in (1, request.evaluations):
            return False
        drawn = pixels(request, self._denoiser.pictures(torch.cat(x)))
        seconds = time.monotonic() - self.since
        meter = measure(request, drawn) if measure and at == request.evaluations else None
        self.frame = Frame(request, self.frame.serial, at, drawn, seconds, meter=meter)
        kept = max(1, FILM_BYTES // drawn.nbytes)
        if self.frame.done or at % (every * -(-request.evaluations // (every * kept))) == 0:
            self.film.append(self.frame)
        if self.frame.done:
            self._blocks = []
        return True

    def _every(self) -> int:
        """Evaluations from frame to frame; the first and the last have one whatever it is."""
        latents = self._denoiser.picture_shape != self._denoiser.shape
        return -(-self.request.evaluations // LATENT_FRAMES) if latents else 1

    def finish(self, drawn: np.ndarray, measure: Measure | None = None) -> None:
        """The finished pictures, drawn elsewhere: (w, class, sample, S, S, C) uint8."""
        seconds, request = time.monotonic() - self.since, self.request
        meter = measure(request, drawn) if measure else None
        self.frame = Frame(request, self.frame.serial, request.evaluations, drawn, seconds, meter=meter)
        self.film, self._blocks, self._made = [self.frame], [], request.evaluations

    def fail(self, sentence: str) -> None:
        """End here; what was drawn stays."""
        old = self.frame
        self.frame = Frame(
            old.request, old.serial, old.evaluations, old.pixels, time.monotonic() - self.since, error=sentence
        )
        self._blocks = []
