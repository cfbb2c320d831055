"""What the tests of the running service share: a denoiser that can be held and broken, and references."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from cfg_core.checkpoints.format import Checkpoint, CheckpointConfig
from cfg_core.data.pixels import to_bytes
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.schedule import Schedule
from cfg_core.grids.request import GridRequest
from cfg_core.sampling.loop import begin, sample
from cfg_core.serving.engine import Engine
from cfg_core.serving.grid_job import Frame

PATIENCE = 60.0
"""Seconds after which a test gives up on something that should happen at once."""

A = GridRequest("0123456789ab", (3,), (2.0,), samples=4, steps=5)
B = replace(A, w=(4.0,))


class Gate(NetworkDenoiser):
    """A denoiser that waits at every evaluation until it is let through, and can be made to fail."""

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

    @property
    def checkpoint(self) -> Checkpoint:
        """As an engine takes it, with the hash of A and B."""
        config = CheckpointConfig(
            self.network.config, Schedule(), "v", "v", self.classes, "synthetic", "none", 0.1, 0, "none"
        )
        return Checkpoint(self, config, A.checkpoint)

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


def finished(
    engine: Engine, token: str, displayed: Sequence[GridRequest], prefetch: Sequence[GridRequest] = ()
) -> list[Frame]:
    """The frames of a session, the prefetched ones last, once all of them are done."""

    async def wait() -> list[Frame]:
        deadline = time.monotonic() + PATIENCE
        view = engine.set_demand(token, displayed, prefetch)
        while view.queue_position or len(view.prefetched) < len(prefetch) or not all(f.done for f in view.frames):
            await engine.wait_for_update(token, view.version, PATIENCE)
            assert time.monotonic() < deadline
            view = engine.set_demand(token, displayed, prefetch)
        return [*view.frames, *view.prefetched]

    return asyncio.run(wait())
