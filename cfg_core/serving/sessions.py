"""Sessions: those that are served and the queue before, what each session demands, and expiry.

A session is known by an unguessable token. Nothing else about who uses it is stored: of the client's address only what
tells it from others, which means nothing outside this process.
"""

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cfg_core.grids.request import GridRequest
from cfg_core.serving.admission import exchanges, makes_room
from cfg_core.serving.cache import GridCache
from cfg_core.serving.grid_job import Frame, GridJob

IDLE_TIMEOUT = 30.0
"""Seconds without a call after which a session expires and what it demanded is freed."""


ENTRY_TIMEOUT = 5.0
"""The same for a new session that has not called yet."""


PULL_TIMEOUT = 15.0
"""Seconds without a call after which a session gives its place to one that needs it. A page calls every two seconds at
least while it waits for pictures, and every ten while it waits for nothing."""


MOST_LISTENERS = 4
"""Waits for a newer view of one session, at once; a page has two. One more ends the oldest."""


TOKEN_BYTES, TOKEN_LENGTH = 16, 22
"""Random bytes of a token, and characters that they are written in."""


class UnknownSession(RuntimeError):
    """A token that was never issued, or whose session was closed or has expired.

    No LookupError: those are what Gradio raises for whatever it does not find.
    """

    def __init__(self) -> None:
        super().__init__("this session is unknown: it was closed, or has expired")


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
    """address: stands for its client's address. displayed, prefetch: the jobs of its demand. version: of its view.
    last_seen: time of its last call, or when it was opened. demanded_at: time since which it waits for its first
    displayed grid. waiting_since: round since which it waits for what it displays. last_served: the last round that
    evaluated something of it. remote_calls: its calls of a remote GPU that have ended. listeners: futures of those who
    wait for a newer view, the oldest first. followers: pages of a class that look at what it displays."""

    address: bytes = b""
    demand: Demand = Demand()
    displayed: list[GridJob] = field(default_factory=list)
    prefetch: list[GridJob] = field(default_factory=list)
    version: int = 0
    last_seen: float = field(default_factory=time.monotonic)
    demanded_at: float = field(default_factory=time.monotonic)
    waiting_since: int = 0
    last_served: int = 0
    remote_calls: int = 0
    listeners: dict[asyncio.Future, None] = field(default_factory=dict)
    followers: int = 0

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

    def clear(self) -> None:
        """Demand nothing, and hold nothing that was drawn."""
        self.demand, self.displayed, self.prefetch = Demand(), [], []
        self.notify()

    def listen(self, future: asyncio.Future) -> None:
        """Resolve a future at the next version of the view, or once too many others wait for it too."""
        self.listeners[future] = None
        if len(self.listeners) > MOST_LISTENERS:
            self._wake(next(iter(self.listeners)))

    def notify(self) -> None:
        """Count a new version of the view, and wake those that wait for one."""
        self.version += 1
        for future in list(self.listeners):
            self._wake(future)

    def _wake(self, future: asyncio.Future) -> None:
        del self.listeners[future]
        with contextlib.suppress(RuntimeError):  # its event loop is closed
            future.get_loop().call_soon_threadsafe(_resolve, future)


def _resolve(future: asyncio.Future) -> None:
    if not future.done():
        future.set_result(None)


class Sessions:
    """All sessions in the order of their first calls; the first ``places`` are admitted, the others are queued. Beside
    them are the service's own, which take no place: of what calls of the API, files and rails are drawn for.

    The policy is that of admission.py. queue: how many may be queued. per_address: how many sessions one client address
    may have. idle_timeout: seconds without a call after which a session expires. entry_timeout: the same before its
    first call. pull_timeout: after which it gives its place to one that needs it. clock: seconds, from any origin. Not
    safe between threads by itself: the engine calls it under its lock.
    """

    idle_timeout = IDLE_TIMEOUT
    entry_timeout = ENTRY_TIMEOUT
    pull_timeout = PULL_TIMEOUT

    def __init__(self, places: int, queue: int, per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.places = places
        self.queue = queue
        self.per_address = per_address
        self._clock = clock
        self._key = secrets.token_bytes(16)
        self._entering: dict[str, Session] = {}  # those that have never called
        self._sessions: dict[str, Session] = {}
        self._own: dict[str, Session] = {}

    def open(self, current_round: int = 0, address: str = "") -> str:
        """The token of a new session of a client address. Raises ServiceFull."""
        self.expire()
        mine = hashlib.blake2b(address.encode(errors="replace"), key=self._key, digest_size=8).digest()
        room, silent_since = self.places + self.queue, self._clock() - self.pull_timeout
        yielding = makes_room(self._entering, self._sessions, room, self.per_address, silent_since, mine)
        if yielding is not None:
            self.close(yielding)
        return self._add(self._entering, Session(mine, last_seen=self._clock(), last_served=current_round))

    def open_own(self, current_round: int = 0) -> str:
        """The token of a new session of the service itself: it is admitted, and does not expire."""
        return self._add(self._own, Session(last_seen=self._clock(), last_served=current_round))

    def _add(self, sessions: dict[str, Session], session: Session) -> str:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        sessions[token] = session
        return token

    def find(self, token: str) -> Session | None:
        """The session of a token, if there is one."""
        if len(token) != TOKEN_LENGTH:
            return None
        return self._sessions.get(token) or self._entering.get(token) or self._own.get(token)

    def get(self, token: str) -> Session:
        """The session of a token, which calls now. Raises UnknownSession."""
        session = self.find(token)
        if session is None:
            raise UnknownSession
        session.last_seen = self._clock()
        if self._entering.pop(token, None):
            self._sessions[token] = session
        return session

    def queue_position(self, token: str) -> int:
        """The place in the queue, from 1 on; 0 for a session that is admitted."""
        return 0 if token in self._own else max(0, self.tokens.index(token) + 1 - self.places)

    def close(self, token: str) -> bool:
        """Forget a session, and end its waits; returns whether there was one of that token."""
        session = self.find(token)
        if session is None:
            return False
        for sessions in (self._sessions, self._entering, self._own):
            sessions.pop(token, None)
        session.notify()
        return True

    def expire(self) -> None:
        """Forget the sessions that have not called for too long, and pass on the places of those that are silent."""
        now = self._clock()
        for sessions, timeout in ((self._entering, self.entry_timeout), (self._sessions, self.idle_timeout)):
            for token in [token for token, session in sessions.items() if session.last_seen < now - timeout]:
                self.close(token)
        if passed := exchanges(self._sessions, self.places, now - self.pull_timeout):
            for silent in passed:
                self._sessions[silent].clear()
            other = passed | {calling: silent for silent, calling in passed.items()}
            self._sessions = {t: self._sessions[t] for t in (other.get(each, each) for each in self._sessions)}

    @property
    def expiry_interval(self) -> float:
        """Seconds after which a waiting worker should look for expired sessions again."""
        return min(self.idle_timeout, self.entry_timeout)

    @property
    def tokens(self) -> list[str]:
        """Those of all sessions in their order, the service's own ones last."""
        return [*self._sessions, *self._entering, *self._own]

    @property
    def admitted(self) -> list[Session]:
        visitors = [*self._sessions.values(), *self._entering.values()]
        return [*visitors[: self.places], *self._own.values()]

    def __iter__(self) -> Iterator[Session]:
        return iter([*self._sessions.values(), *self._entering.values(), *self._own.values()])

    def __len__(self) -> int:
        """How many there are, queued ones and the service's own included."""
        return len(self._sessions) + len(self._entering) + len(self._own)
