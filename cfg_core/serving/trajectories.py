"""Trajectories of requests: drawn one at a time beside the worker, kept in a cache bounded in bytes."""

import asyncio
import logging
import time
from concurrent.futures import Executor
from dataclasses import dataclass

from cachetools import LRUCache

from cfg_core.checks import number
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.grids.request import GridRequest
from cfg_core.grids.trajectory import Floats, Trajectory, draw_trajectory, guided_at, step_bytes
from cfg_core.serving.admission import ServiceFull
from cfg_core.threads import one_core_each

log = logging.getLogger(__name__)

CAPACITY = 192 * 2**20
"""Bytes of the trajectories that are kept, and the most of one: 16 samples in colour at 256 steps have 151 MB."""

QUEUE = 64
"""Trajectories that may wait, and guided predictions that may; more are refused."""

WAIT = 1.0
"""Seconds that a call waits before it tells how far the drawing is."""

GRACE = 2.0
"""Seconds without a call that waits for it, after which a drawing is ended."""


@dataclass(frozen=True)
class Progress:
    """How far a drawing is. ahead: trajectories that are drawn before it."""

    evaluations: int
    total: int
    ahead: int


class Drawing:
    """A trajectory that is being drawn. evaluations: made so far. callers: calls that wait for it."""

    def __init__(self, denoiser: Denoiser, request: GridRequest) -> None:
        self.request = request
        self.evaluations = 0
        self.callers = 0
        self._last_call = time.monotonic()
        self.result = asyncio.wrap_future(_thread().submit(draw_trajectory, denoiser, request, self._proceed))

    def _proceed(self, evaluations: int) -> bool:
        """Called in the thread: whether anybody still wants it."""
        self.evaluations = evaluations
        return self.callers > 0 or time.monotonic() - self._last_call <= GRACE

    async def wait(self) -> Trajectory | None:
        """The trajectory, or None where it is not there after a while.

        Raises ValueError as ``draw_trajectory`` does, and RuntimeError where it fails otherwise.
        """
        self.callers += 1
        try:
            await asyncio.wait([self.result], timeout=WAIT)
        finally:
            self.callers -= 1
            self._last_call = time.monotonic()
        if not self.result.done():
            return None
        if (failure := self.result.exception()) and not isinstance(failure, ValueError):
            raise RuntimeError(f"The steps could not be drawn: {failure}") from failure
        return self.result.result()


class Trajectories:
    """The trajectories of all pages; equal requests are one drawing. Called from one event loop."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """capacity: bytes that are kept."""
        self._kept: LRUCache[GridRequest, Trajectory] = LRUCache(capacity, lambda trajectory: trajectory.nbytes)
        self._drawings: dict[GridRequest, Drawing] = {}
        self._guided = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the trajectories that are kept."""
        return int(self._kept.currsize)

    @property
    def waiting(self) -> int:
        """Trajectories that are being drawn, or are to be."""
        return len(self._drawings)

    async def find(self, denoiser: Denoiser, request: GridRequest) -> Trajectory | Progress:
        """The trajectory of a request, or how far it is after a while. One that nobody asks for again is ended.

        Raises ServiceFull, RuntimeError where it fails, and ValueError, in one sentence, for one that is too large.
        """
        if found := self._kept.get(request):
            return found
        most = int(self._kept.maxsize) // step_bytes(denoiser)
        number("pictures × steps", request.pictures * request.steps, 1, most, whole=True)
        drawing = self._drawings.get(request)
        if drawing is None:
            if len(self._drawings) >= QUEUE:
                raise ServiceFull(f"{QUEUE} others wait for their steps. Please try again in a moment.")
            drawing = self._drawings[request] = Drawing(denoiser, request)
            drawing.result.add_done_callback(lambda _: self._ended(drawing))
        ahead = [*self._drawings].index(request)
        return await drawing.wait() or Progress(drawing.evaluations, request.evaluations, ahead)

    def _ended(self, drawing: Drawing) -> None:
        del self._drawings[drawing.request]
        if failure := drawing.result.exception():
            log.error("trajectory failed request=%s", drawing.request.to_json(), exc_info=failure)
        elif trajectory := drawing.result.result():
            self._kept[drawing.request] = trajectory

    async def guided(
        self, denoiser: Denoiser, trajectory: Trajectory, sample: int, step: int, w: float
    ) -> tuple[Floats, Floats]:
        """See ``guided_at``. Raises ServiceFull."""
        if self._guided >= QUEUE:
            raise ServiceFull(f"{QUEUE} others wait for a prediction. Please try again in a moment.")
        self._guided += 1
        try:
            call = one_core_each(1, "guided").submit(guided_at, denoiser, trajectory, sample, step, w)
            return await asyncio.wrap_future(call)
        finally:
            self._guided -= 1


def _thread() -> Executor:
    """The thread that draws, on one core, so that the worker has the others."""
    return one_core_each(1, "trajectory")
