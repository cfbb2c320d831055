"""The service: one worker that advances everybody's samples together.

A person, known by an unguessable token, *wants* some grids; wanting others replaces them at the next evaluation, while
a grid that is wanted again goes on. The worker runs the one loop of cfg_core.sampling over all grids at once.
"""

import asyncio
import contextlib
import itertools
import logging
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cfg_core.grid import begin_grid, pixels
from cfg_core.hub import Checkpoint
from cfg_core.request import GridRequest
from cfg_core.sampling import Job, turn

log = logging.getLogger(__name__)

SILENCE = 30.0
"""Seconds after which a person who no longer asks is forgotten, and what they wanted freed."""


@dataclass(frozen=True)
class Frame:
    """A grid after some of its evaluations.

    pixels: (w, class, sample, S, S, C) uint8, the clean samples as they are predicted at this evaluation; None before
    the first. seconds: since the request. error: why it ended early, one sentence.
    """

    request: GridRequest
    serial: int
    evaluations: int = 0
    pixels: np.ndarray | None = None
    seconds: float = 0.0
    error: str | None = None

    @property
    def done(self) -> bool:
        return self.error is not None or self.evaluations == self.request.evaluations


@dataclass(eq=False)
class Grid:
    """A wanted grid: its samples on their way, and the latest frame."""

    frame: Frame
    job: Job
    since: float


@dataclass
class Person:
    grids: dict[GridRequest, Grid] = field(default_factory=dict)
    seen: float = field(default_factory=time.monotonic)
    waiting: set[asyncio.Future] = field(default_factory=set)


class UnknownPerson(KeyError):
    """A token that was never issued, or whose person has been silent for too long."""


class Engine:
    """Everybody's grids of one checkpoint. Safe to call from any thread; ``close`` ends the worker."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._people: dict[str, Person] = {}
        self._serials = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._worker.start()

    def admit(self) -> str:
        """A token for a new person."""
        token = secrets.token_urlsafe(16)
        with self._changed:
            self._people[token] = Person()
            self._changed.notify_all()  # a worker at rest starts to watch for silence
        return token

    def want(self, token: str, requests: Sequence[GridRequest]) -> list[Frame]:
        """Say which grids a person wants now; returns the latest frame of each, in their order.

        Raises UnknownPerson.
        """
        with self._changed:
            known = self._person(token).grids
        wanted = {request: known.get(request) or self._begin(request) for request in requests}
        with self._changed:
            if wanted.keys() != known.keys():
                self._person(token).grids = wanted
                self._changed.notify_all()
            return [wanted[request].frame for request in requests]

    async def news(self, token: str, frames: Sequence[Frame], timeout: float) -> None:
        """Return when these are no longer a person's latest frames, or after so many seconds. Raises UnknownPerson."""
        future = asyncio.get_running_loop().create_future()
        with self._changed:
            person = self._person(token)
            latest = [grid.frame for grid in person.grids.values()]
            if not all(any(frame is other for other in latest) for frame in frames):
                return
            person.waiting.add(future)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(future, timeout)
        with self._changed:
            person.waiting.discard(future)

    def draw(self, request: GridRequest) -> np.ndarray:
        """A finished grid (w, class, sample, S, S, C), for a caller that can wait. Raises RuntimeError if it fails."""
        token, grid = self.admit(), self._begin(request)
        with self._changed:
            person = self._people[token]
            person.grids[request] = grid
            self._changed.notify_all()
            while not grid.frame.done and not self._closed:
                person.seen = time.monotonic()
                self._changed.wait(1.0)
            self._people.pop(token, None)
        if grid.frame.pixels is None or grid.frame.error or not grid.frame.done:
            raise RuntimeError(grid.frame.error or "The engine was closed before the pictures were drawn.")
        return grid.frame.pixels

    def close(self) -> None:
        """End the worker after its current evaluation."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()

    def _person(self, token: str) -> Person:
        person = self._people.get(token)
        if person is None:
            raise UnknownPerson(token)
        person.seen = time.monotonic()
        return person

    def _begin(self, request: GridRequest) -> Grid:
        return Grid(
            Frame(request, next(self._serials)), begin_grid(self.checkpoint.denoiser, request), time.monotonic()
        )

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (grids := self._unfinished()) and not self._closed:
                    self._changed.wait(SILENCE if self._people else None)
                if self._closed:
                    return
            try:
                turn(self.checkpoint.denoiser, [grid.job for grid in grids])
                error = None
            except Exception as failure:  # whatever it was, those who wait must hear of it
                log.exception("an evaluation failed")
                error = f"The pictures could not be drawn: {failure}"
            with self._changed:
                for grid in grids:
                    self._show(grid, error)
                for person in self._people.values():
                    if any(grid in grids for grid in person.grids.values()):
                        _wake(person)
                self._changed.notify_all()

    def _unfinished(self) -> list[Grid]:
        """The grids that still need evaluations, of everybody who has not fallen silent."""
        now = time.monotonic()
        for token in [token for token, person in self._people.items() if now - person.seen > SILENCE]:
            del self._people[token]
        return [g for person in self._people.values() for g in person.grids.values() if not g.frame.done]

    def _show(self, grid: Grid, error: str | None) -> None:
        state, frame = grid.job.state, grid.frame
        drawn = frame.pixels if state.x is None else pixels(frame.request, state.x)
        grid.frame = Frame(frame.request, frame.serial, state.evaluations, drawn, time.monotonic() - grid.since, error)


def _wake(person: Person) -> None:
    for future in person.waiting:
        with contextlib.suppress(RuntimeError):  # its event loop has closed
            future.get_loop().call_soon_threadsafe(_resolve, future)
    person.waiting.clear()


def _resolve(future: asyncio.Future) -> None:
    if not future.done():
        future.set_result(None)
