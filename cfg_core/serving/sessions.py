"""Sessions: admission and the queue before it, what each session demands, and expiry.

A session is known by an unguessable token. Nothing else about who uses it is stored.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cfg_core.grids.request import GridRequest
from cfg_core.serving.cache import GridCache
from cfg_core.serving.grid_job import Frame, GridJob

log = logging.getLogger(__name__)


IDLE_TIMEOUT = 30.0
"""Seconds without a call after which a session expires and what it demanded is freed."""


ENTRY_TIMEOUT = 5.0
"""The same for a new session that has not called yet."""


class UnknownSession(RuntimeError):
    """A token that was never issued, or whose session was closed or has expired.

    No LookupError: those are what Gradio raises for whatever it does not find.
    """

    def __init__(self) -> None:
        super().__init__("this session is unknown: it was closed, or has expired")


class ServiceFull(RuntimeError):
    """Neither a place nor a place in the queue is free; the message is a sentence for the user."""


@dataclass(frozen=True)
class Demand:
    """The grids that a session displays, and those of its strip that it may display next, the most important first."""

    displayed: tuple[GridRequest, ...] = ()
    prefetch: tuple[GridRequest, ...] = ()


@dataclass(frozen=True)
class SessionView:
    """What there is of a session's demand.

    version: counts frames that begin or end a grid, and changes of the demand; for ``Engine.wait_for_update``.
    frames: of the displayed grids, in the demand's order. prefetched: the finished ones of the strip. ahead: how many
    sessions are served before its first displayed grid. queue_position: 0 for a session that is admitted.
    """

    version: int
    frames: tuple[Frame, ...] = ()
    prefetched: tuple[Frame, ...] = ()
    ahead: int = 0
    queue_position: int = 0

    @property
    def complete(self) -> bool:
        """Whether something is displayed, and all of it is finished."""
        return bool(self.frames) and all(frame.done for frame in self.frames)


@dataclass(eq=False)
class Session:
    """displayed, prefetch: the jobs of its demand. version: of its view. last_seen: time of its last call.
    demanded_at: time since which it waits for its first displayed grid. waiting_since: round since which it waits for
    what it displays. last_served: the last round that evaluated something of it. listeners: futures of those who wait
    for a newer view."""

    demand: Demand = Demand()
    displayed: list[GridJob] = field(default_factory=list)
    prefetch: list[GridJob] = field(default_factory=list)
    version: int = 0
    last_seen: float = field(default_factory=time.monotonic)
    demanded_at: float = field(default_factory=time.monotonic)
    waiting_since: int = 0
    last_served: int = 0
    listeners: set[asyncio.Future] = field(default_factory=set)

    @property
    def jobs(self) -> list[GridJob]:
        return [*self.displayed, *self.prefetch]

    @property
    def unfinished(self) -> list[GridJob]:
        """Its unfinished jobs, each once, in the demand's order."""
        return list(dict.fromkeys(job for job in self.jobs if not job.frame.done))

    @property
    def has_image(self) -> bool:
        """Whether a finished grid is as near to the displayed w as its strip will ever have one."""
        if not self.displayed:
            return True
        (at, *_) = self.displayed[0].request.w
        nearest = min((abs(job.request.w[0] - at) for job in self.prefetch), default=float("inf"))
        return any(job.frame.done and abs(job.request.w[0] - at) <= nearest for job in self.jobs)

    def set_demand(self, demand: Demand, cache: GridCache, current_round: int) -> None:
        """Replace the demand. Jobs that are in both go on; a session that only changes its demand waits anew."""
        if not self.unfinished:
            self.last_served = current_round
        if self.has_image or self.last_served > self.waiting_since:
            self.waiting_since = current_round
        if self.demand.displayed[:1] != demand.displayed[:1]:
            self.demanded_at = time.monotonic()
        frames = [(job, job.frame) for job in self.jobs]
        known = {job.request: job for job, frame in frames if not frame.error and not frame.precomputed}
        self.demand = demand
        self.displayed = [known.get(r) or cache.job(r) for r in demand.displayed]
        self.prefetch = [cache.precomputed(r) or known.get(r) or cache.job(r) for r in demand.prefetch]
        self.notify()  # ends a wait for an update of the former demand

    def view(self, ahead: int) -> SessionView:
        """What there is of its demand. ahead: see SessionView."""
        displayed = tuple(job.frame for job in self.displayed)
        prefetched = tuple(job.frame for job in self.prefetch if job.frame.done)
        return SessionView(self.version, displayed, prefetched, ahead)

    def notify(self) -> None:
        """Count a new version of the view, and wake those that wait for one."""
        self.version += 1
        for future in self.listeners:
            with contextlib.suppress(RuntimeError):  # its event loop is closed
                future.get_loop().call_soon_threadsafe(_resolve, future)
        self.listeners.clear()


def _resolve(future: asyncio.Future) -> None:
    if not future.done():
        future.set_result(None)


class Sessions:
    """All sessions in the order of their arrival; the first ``places`` of them are admitted, the others are queued.

    queue: how many may be queued. idle_timeout: seconds without a call after which a session expires. entry_timeout:
    the same before its first call. clock: seconds, from any origin. Not safe between threads by itself: the engine
    calls it under its lock.
    """

    idle_timeout = IDLE_TIMEOUT
    entry_timeout = ENTRY_TIMEOUT

    def __init__(self, places: int, queue: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.places = places
        self.queue = queue
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def open(self, current_round: int = 0) -> str:
        """The token of a new session. Raises ServiceFull."""
        self.expire()
        if len(self) >= self.places + self.queue:
            log.warning("refused sessions=%d", len(self))
            raise ServiceFull(f"The lab is full, and so is its queue of {self.queue}. Please come back later.")
        token = secrets.token_urlsafe(16)
        expires_early = self._clock() - self.idle_timeout + self.entry_timeout
        self._sessions[token] = Session(last_seen=expires_early, last_served=current_round)
        log.info("opened sessions=%d", len(self))
        return token

    def get(self, token: str) -> Session:
        """The session of a token, which calls now. Raises UnknownSession."""
        session = self._sessions.get(token)
        if session is None:
            raise UnknownSession
        session.last_seen = self._clock()
        return session

    def queue_position(self, token: str) -> int:
        """The place in the queue, from 1 on; 0 for a session that is admitted."""
        return max(0, self.tokens.index(token) + 1 - self.places)

    def close(self, token: str) -> bool:
        """Forget a session; returns whether there was one of that token."""
        closed = self._sessions.pop(token, None) is not None
        if closed:
            log.info("closed sessions=%d", len(self))
        return closed

    def expire(self) -> None:
        """Forget the sessions that have not called for too long."""
        oldest = self._clock() - self.idle_timeout
        for token in [token for token, session in self._sessions.items() if session.last_seen < oldest]:
            del self._sessions[token]
            log.info("expired sessions=%d", len(self))

    @property
    def expiry_interval(self) -> float:
        """Seconds after which a waiting worker should look for expired sessions again."""
        return min(self.idle_timeout, self.entry_timeout)

    @property
    def tokens(self) -> list[str]:
        return list(self._sessions)

    @property
    def admitted(self) -> list[Session]:
        return list(self._sessions.values())[: self.places]

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def __len__(self) -> int:
        """How many there are, queued ones included."""
        return len(self._sessions)
