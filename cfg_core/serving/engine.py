"""The service: one worker that advances everybody's samples together.

A person, known by an unguessable token, *looks at* some grids and may next look at those of a strip. Wanting others
replaces them at the next evaluation. The worker runs the one loop of cfg_core.sampling over all of them: each turn it
picks samples (cfg_core.serving.scheduler), evaluates once, and shows. Equal requests are one computation, and what is
finished stays in a cache of bounded size, so that a grid is drawn once whoever asks and however often.
"""

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count

import numpy as np
import torch
from cachetools import LRUCache

from cfg_core.checkpoints.format import LoadedModel
from cfg_core.checks import choice, number
from cfg_core.evaluation.meters import Measure
from cfg_core.grids.drawing import check_drawable
from cfg_core.grids.request import MAX_PICTURES, STEPS_RANGE, GridRequest
from cfg_core.sampling.loop import advance_jobs
from cfg_core.serving.grid_job import BLOCK, Frame, GridJob
from cfg_core.serving.scheduler import Level, Session, Wish, ranked_jobs, share

log = logging.getLogger(__name__)


SILENCE = 30.0
"""Seconds after which a person who no longer asks is forgotten, and what they wanted freed."""


UNHEARD = 5.0
"""The same for a newcomer who has not asked for anything yet."""


WINDOW = 10.0
"""Seconds over which the rate of evaluations is taken."""


REPORT = 60.0
"""Seconds between the lines in which a busy engine logs its stats."""


@dataclass(frozen=True)
class Limits:
    """What the engine takes on. Raises ValueError for a number out of range.

    people: served at once; newcomers stand in a line of at most ``line``. pictures, steps: of one grid. work: of one
    grid, its pictures × its evaluations. cache: megabytes of finished grids. samples: of one evaluation.
    """

    people: int = 64
    line: int = 256
    pictures: int = 640
    steps: int = STEPS_RANGE[1]
    work: int = 2**16
    cache: int = 256
    samples: int = 64

    def __post_init__(self) -> None:
        number("people", self.people, 1, 10_000, whole=True)
        number("line", self.line, 0, 10_000, whole=True)
        number("pictures", self.pictures, GridRequest.samples, MAX_PICTURES, whole=True)
        number("steps", self.steps, GridRequest.steps, STEPS_RANGE[1], whole=True)
        number("work", self.work, GridRequest.samples * GridRequest.steps, 2**23, whole=True)
        number("cache", self.cache, 0, 2**20, whole=True)
        number("samples", self.samples, BLOCK, MAX_PICTURES, whole=True)


class UnknownSession(KeyError):
    """A token that was never issued, or whose person has been silent for too long."""


class ServiceFull(RuntimeError):
    """Neither the lab nor its line has room; the message is for the person at the door."""


@dataclass(frozen=True)
class SessionView:
    """What a person sees. frames: of the grids they look at, in their order. strip: those of it that are finished.

    version: passes to ``news``; it counts grids that have begun to show and that have finished, not each of their
    evaluations. ahead: how many people are served before their first picture. door: their place in the
    line before the lab, 0 inside.
    """

    version: int
    frames: tuple[Frame, ...] = ()
    strip: tuple[Frame, ...] = ()
    ahead: int = 0
    door: int = 0


@dataclass(frozen=True)
class Stats:
    """How the engine does. rate: evaluations of one sample a second, over the last seconds; first_picture: seconds from
    wanting a grid to having it finished, of those that were not in the cache."""

    people: int
    at_the_door: int
    waiting: int
    samples_in_flight: int
    turns: int
    evaluations: int
    rate: float
    cached: int
    cached_bytes: int
    cache_hits: int
    first_picture_p50: float | None
    first_picture_p95: float | None


@dataclass(frozen=True)
class Model:
    """What draws, and what comes with it. precomputed: finished grids that strips may show at once. measure: what
    finished grids are judged by. elsewhere: its grids are not drawn by the worker, they are delivered."""

    checkpoint: LoadedModel
    precomputed: tuple[Frame, ...] = ()
    measure: Measure | None = None
    elsewhere: bool = False


class Engine:
    """Everybody's grids, of one model or of several. Safe to call from any thread; ``close`` ends the worker."""

    def __init__(self, model: Model, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.checkpoint = model.checkpoint
        self._models: dict[str, Model] = {}
        self._precomputed: dict[GridRequest, GridJob] = {}
        self._samples = self.limits.samples
        self._people: dict[str, Session] = {}  # in the order in which they came
        self._places: dict[Session, int] = {}
        self._active: dict[GridRequest, GridJob] = {}
        self._cache: LRUCache[GridRequest, GridJob] = LRUCache(self.limits.cache * 2**20, lambda work: work.nbytes)
        self._serials = count(secrets.randbits(40))  # a page that outlives a restart takes no old serial for a new one
        self._turn = self._evaluations = self._hits = 0
        self._recent: deque[tuple[float, int]] = deque()
        self._first_pictures: deque[float] = deque(maxlen=1000)
        self._reported = time.monotonic()
        self._changed = threading.Condition()
        self._closed = False
        self.add(model)
        self._worker = self._start()

    # ---- what callers do --------------------------------------------------------------------------------------------

    def add(self, model: Model) -> None:
        """Draw with this model too, from now on."""
        shipped = {f.request: GridJob(replace(f, serial=next(self._serials))) for f in model.precomputed}
        with self._changed:
            self._models = {**self._models, model.checkpoint.hash: model}
            self._precomputed = {**self._precomputed, **shipped}

    @property
    def checkpoints(self) -> dict[str, LoadedModel]:
        """Hash → what it draws with."""
        return {digest: model.checkpoint for digest, model in self._models.items()}

    @property
    def people(self) -> int:
        """How many are here, those at the door among them."""
        return len(self._people)

    def elsewhere(self, checkpoint: str) -> bool:
        """Whether the grids of that checkpoint are delivered, not drawn here."""
        return self._models[checkpoint].elsewhere

    def measures(self, checkpoint: str) -> bool:
        """Whether finished grids of that checkpoint have a meter."""
        return self._models[checkpoint].measure is not None

    def admit(self) -> str:
        """A token for a new person. Raises Full."""
        with self._changed:
            self._forget_the_silent()
            if len(self._people) >= self.limits.people + self.limits.line:
                log.warning("refused people=%d", len(self._people))
                raise ServiceFull(
                    f"The lab is full, and {self.limits.line} people wait at its door. Please come back later."
                )
            token = secrets.token_urlsafe(16)
            self._people[token] = Session(seen=time.monotonic() - SILENCE + UNHEARD, served=self._turn)
            log.info("admitted people=%d", len(self._people))
            self._changed.notify_all()  # a worker at rest starts to watch for silence
        return token

    def check(self, request: GridRequest) -> GridRequest:
        """The request, if it is within the limits; otherwise raises ValueError, in one sentence."""
        number("classes × w × samples", request.pictures, 1, self.limits.pictures, whole=True)
        number("steps", request.steps, 1, self.limits.steps, whole=True)
        number("pictures × evaluations", request.pictures * request.evaluations, 1, self.limits.work, whole=True)
        choice("model", request.checkpoint, self._models)
        return check_drawable(self._models[request.checkpoint].checkpoint.denoiser, request)

    def want(self, token: str, looked_at: Sequence[GridRequest], strip: Sequence[GridRequest] = ()) -> SessionView:
        """Say what a person looks at, and what they may look at next; returns what there is of it.

        Raises UnknownPerson, and ValueError as ``check`` does.
        """
        wish = tuple(looked_at), tuple(strip)
        with self._changed:
            person = self._person(token)
            door = self._door(token)
            if wish != person.wish:
                for request in wish[0] + wish[1]:
                    self.check(request)
                if not door:
                    self._take(person, *wish)
            return SessionView(person.version, door=door) if door else self._view(person)

    async def later(self, token: str, wish: Wish, version: int, timeout: float) -> SessionView | None:
        """What there is of a wish once there is news of it, or after so many seconds; None if it is no longer wanted.

        Raises UnknownPerson.
        """
        await self.news(token, version, timeout)
        with self._changed:
            person = self._person(token)
            return self._view(person) if person.wish == wish else None

    async def news(self, token: str, version: int, timeout: float) -> None:
        """Return when a person's view is no longer of that version, or after so many seconds. Raises UnknownPerson."""
        future = asyncio.get_running_loop().create_future()
        with self._changed:
            person = self._person(token)
            if person.version != version:
                return
            person.listeners.add(future)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(future, timeout)
        with self._changed:
            person.listeners.discard(future)

    def deliver(self, drawn: Mapping[GridRequest, np.ndarray | str]) -> None:
        """Finished pictures that were drawn elsewhere, or the sentence that says why they were not."""
        with self._changed:
            works = {w for p in self._people.values() for w in p.works if w.request in drawn and not w.frame.done}
            nobodys = drawn.keys() - {work.request for work in works}  # kept for when it is wanted again
            works |= {GridJob(Frame(request, next(self._serials))) for request in nobodys}
            for work in works:
                found = drawn[work.request]
                if isinstance(found, str):
                    work.fail(found)
                else:
                    work.finish(found, self._models[work.request.checkpoint].measure)
            self._publish(works, 0)

    def film(self, token: str) -> list[list[Frame]]:
        """The denoising of each grid a person looks at, as far as it has come. Raises UnknownPerson."""
        with self._changed:
            return [list(work.film) for work in self._person(token).looked_at]

    def leave(self, token: str) -> None:
        """Forget a person, if there is one of that token, and free what they wanted."""
        with self._changed:
            if self._people.pop(token, None):
                log.info("left people=%d", len(self._people))
                self._changed.notify_all()

    def draw(self, request: GridRequest) -> np.ndarray:
        """A finished grid (w, class, sample, S, S, C), for a caller that can wait.

        Raises Full, ValueError as ``want`` does or if it is to be delivered, and RuntimeError if it fails.
        """
        if self.elsewhere(self.check(request).checkpoint):
            raise ValueError(f"model must be one that is drawn here, got {request.checkpoint}")
        token = self.admit()
        try:
            with self._changed:
                while not (frames := self.want(token, [request]).frames) or not frames[0].done:
                    if self._closed:
                        raise RuntimeError("The engine was closed before the pictures were drawn.")
                    self._changed.wait(1.0)
        finally:
            self.leave(token)
        frame = frames[0]
        if frame.pixels is None or frame.error:
            raise RuntimeError(frame.error)
        return frame.pixels

    def stats(self) -> Stats:
        """How it does now."""
        with self._changed:
            self._recent_from(time.monotonic() - WINDOW)
            p50, p95 = np.percentile(self._first_pictures, (50, 95)) if self._first_pictures else (None, None)
            inside = min(len(self._people), self.limits.people)
            works = [work for work in self._active.values() if not work.frame.done]
            return Stats(
                people=inside,
                at_the_door=len(self._people) - inside,
                waiting=sum(bool(person.unfinished) for person in self._people.values()),
                samples_in_flight=sum(work.begun for work in works),
                turns=self._turn,
                evaluations=self._evaluations,
                rate=sum(samples for _, samples in self._recent) / WINDOW,
                cached=len(self._cache),
                cached_bytes=int(self._cache.currsize),
                cache_hits=self._hits,
                first_picture_p50=p50 and float(p50),
                first_picture_p95=p95 and float(p95),
            )

    def close(self) -> None:
        """End the worker after its current evaluation."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()

    # ---- people (the lock is held) ----------------------------------------------------------------------------------

    def _person(self, token: str) -> Session:
        person = self._people.get(token)
        if person is None:
            raise UnknownSession(token)
        person.seen = time.monotonic()
        return person

    def _door(self, token: str) -> int:
        return max(0, list(self._people).index(token) + 1 - self.limits.people)

    def _view(self, person: Session) -> SessionView:
        return SessionView(
            person.version,
            tuple(work.frame for work in person.looked_at),
            tuple(work.frame for work in person.strip if work.frame.done),
            self._ahead(person),
        )

    def _ahead(self, person: Session) -> int:
        """How many others are served before the first picture of somebody who has none."""
        if person.has_picture or not person.looked_at:
            return 0
        return self._places.get(person, len(self._places))

    def _take(self, person: Session, looked_at: tuple[GridRequest, ...], strip: tuple[GridRequest, ...]) -> None:
        if not person.unfinished:
            person.served = self._turn
        if person.has_picture or person.served > person.waiting:  # who only changes their mind, waits anew
            person.waiting = self._turn
        if person.wish[0][:1] != looked_at[:1]:
            person.since = time.monotonic()
        frames = [(work, work.frame) for work in person.works]
        known = {work.request: work for work, frame in frames if not frame.error and not frame.precomputed}
        person.wish = looked_at, strip
        person.looked_at = [known.get(request) or self._work(request) for request in looked_at]
        person.strip = [self._precomputed.get(r) or known.get(r) or self._work(r) for r in strip]
        person.tell()  # who still waits for news of the former wish
        if not (self._closed or self._worker.is_alive()):  # not even its last words could be said
            self._worker = self._start()
        self._changed.notify_all()

    def _work(self, request: GridRequest) -> GridJob:
        """The one computation of a request: finished, under way, or new."""
        if work := self._cache.get(request):
            self._hits += 1
            return work
        work = self._active.get(request)
        if work is None or work.frame.error:
            work = self._active[request] = GridJob(Frame(request, next(self._serials)))
        return work

    def _forget_the_silent(self) -> None:
        now = time.monotonic()
        for token in [token for token, person in self._people.items() if now - person.seen > SILENCE]:
            del self._people[token]
            log.info("silent people=%d", len(self._people))

    # ---- the worker -------------------------------------------------------------------------------------------------

    def _start(self) -> threading.Thread:
        worker = threading.Thread(target=self._serve, name="engine", daemon=True)
        worker.start()
        return worker

    def _serve(self) -> None:
        while not self._closed:
            self._turns()

    def _turns(self) -> None:
        """Turn after turn; whatever breaks outside an evaluation ends everything under way."""
        try:
            while shares := self._next():
                made = self._evaluate(shares)
                self._publish({work for work in shares if self._show(work)}, made)
        except BaseException:
            log.exception("worker restarted works=%d", len(self._active))
            with self._changed:
                for work in self._active.values():
                    work.fail("The worker broke down and was restarted; what is asked for next will be drawn.")
                for person in self._people.values():
                    person.tell()
                self._changed.notify_all()

    def _next(self) -> dict[GridJob, int]:
        """What the next turn evaluates, once there is something; nothing when the engine is closed."""
        with self._changed:
            while not self._closed:
                self._forget_the_silent()
                inside = list(self._people.values())[: self.limits.people]
                self._active = {work.request: work for person in inside for work in person.unfinished}
                waiting = [
                    entry
                    for entry in ranked_jobs(inside, self._turn)
                    if not self.elsewhere(entry[2].request.checkpoint)
                ]
                first = dict.fromkeys(p for (level, *_), p, _ in waiting if level <= Level.FIRST and not p.has_picture)
                self._places = {person: place for place, person in enumerate(first)}
                if shares := share(waiting, self._samples):
                    self._turn += 1
                    for _, person, work in waiting:
                        if work in shares:  # even if they want something else before the turn is over
                            person.served = self._turn
                    return shares
                self._changed.wait(min(UNHEARD, SILENCE) if self._people else None)
        return {}

    def _evaluate(self, shares: dict[GridJob, int]) -> int:
        """One evaluation of all of a model, or if that fails, of each alone; what fails alone has failed. Returns the
        samples."""
        by_model: dict[str, dict[GridJob, int]] = {}
        for work, blocks in shares.items():
            by_model.setdefault(work.request.checkpoint, {})[work] = blocks
        if len(by_model) > 1:
            return sum(self._evaluate(of_one) for of_one in by_model.values())
        [digest] = by_model
        denoiser = self._models[digest].checkpoint.denoiser
        try:
            jobs = [job for work, blocks in shares.items() for job in work.next(denoiser, blocks)]
            advance_jobs(denoiser, jobs)
        except Exception as failure:  # whatever it was, those who wait must hear of it
            if isinstance(failure, torch.OutOfMemoryError) and self._samples > BLOCK:
                self._samples = max(BLOCK, self._samples // 2)
                log.warning("out of memory samples=%d", self._samples)
                torch.cuda.empty_cache()
                return 0
            if len(shares) > 1:
                return sum(self._evaluate({work: blocks}) for work, blocks in shares.items())
            self._fail(next(iter(shares)), failure)
            return 0
        return sum(len(job.labels) for job in jobs)

    def _fail(self, work: GridJob, failure: Exception) -> None:
        log.error("failed request=%s", work.request.to_json(), exc_info=failure)
        work.fail(f"The pictures could not be drawn: {failure}")

    def _show(self, work: GridJob) -> bool:
        """Whether there is something new of a work: a frame, or that it failed."""
        try:
            return work.show(self._models[work.request.checkpoint].measure) or work.frame.error is not None
        except Exception as failure:  # a device reports late
            self._fail(work, failure)
            return True

    def _publish(self, changed: set[GridJob], made: int) -> None:
        """Tell everybody what has come of their works after so many evaluations; keep what is finished."""
        with self._changed:
            self._evaluations += made
            self._recent.append((time.monotonic(), made))
            self._recent_from(time.monotonic() - WINDOW)
            for work in changed:
                if work.frame.done and not work.frame.error and work.nbytes <= self._cache.maxsize:
                    self._cache[work.request] = work
            for person in self._people.values():
                if any(work.frame.done or work.frame.evaluations == 1 for work in changed.intersection(person.works)):
                    person.tell()
                guided = person.looked_at[0] if person.looked_at else None
                if guided in changed and guided.frame.done and not guided.frame.error:
                    self._first_pictures.append(time.monotonic() - person.since)
            if time.monotonic() - self._reported > REPORT:
                self._reported = time.monotonic()
                log.info("stats %s", " ".join(f"{name}={value}" for name, value in asdict(self.stats()).items()))
            self._changed.notify_all()

    def _recent_from(self, then: float) -> None:
        while self._recent and self._recent[0][0] < then:
            self._recent.popleft()
