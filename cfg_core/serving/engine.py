"""The service's facade: sessions, scheduler, cache, worker and statistics put together behind one lock.

A session *displays* some grids and *prefetches* those of a strip. A new demand replaces the old one at the next
evaluation. The worker runs the one sampling loop (cfg_core.sampling.loop) over the grids of all sessions.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from cfg_core.checkpoints.format import LoadedModel
from cfg_core.checks import choice
from cfg_core.grids.drawing import check_drawable
from cfg_core.grids.request import GridRequest
from cfg_core.serving.cache import GridCache
from cfg_core.serving.grid_job import Frame, GridJob
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.serving.scheduler import plan_round
from cfg_core.serving.sessions import Demand, Session, Sessions, SessionView
from cfg_core.serving.statistics import Recorder, Stats
from cfg_core.serving.worker import Worker

log = logging.getLogger(__name__)

DRAW_POLL = 1.0
"""Seconds after which a waiting ``draw`` calls again, so that its session does not expire."""


class Engine:
    """The grids of all sessions, of one model or of several. Safe to call from any thread; ``close`` ends the worker.

    Its parts, ``sessions`` and ``cache``, are for reading; hold ``lock`` where several reads must agree.
    """

    def __init__(self, model: Model, limits: Limits | None = None, cache: GridCache | None = None) -> None:
        """cache: by default one of the limits' size."""
        self.limits = limits or Limits()
        self.checkpoint = model.checkpoint
        self.sessions = Sessions(self.limits.sessions, self.limits.queue, self.limits.per_address)
        self.cache = GridCache(self.limits.cache * 2**20) if cache is None else cache
        self.lock = threading.Condition()
        self.closed = False
        self._models: dict[str, Model] = {}
        self._ahead: dict[Session, int] = {}
        self._recorder = Recorder()
        self.worker = Worker(
            self.limits.samples, lambda digest: self._models[digest], self._next_round, self._publish, self._abort
        )
        self.add(model)
        self.worker.start()

    # ---- models -----------------------------------------------------------------------------------------------------

    def add(self, model: Model) -> None:
        """Draw with this model too, from now on."""
        with self.lock:
            self.cache.add_precomputed(model.precomputed)
            self._models = {**self._models, model.checkpoint.hash: model}  # never changed: others read it unlocked

    @property
    def checkpoints(self) -> dict[str, LoadedModel]:
        """Hash → the checkpoint of every model."""
        return {digest: model.checkpoint for digest, model in self._models.items()}

    def is_remote(self, checkpoint: str) -> bool:
        """Whether the grids of that checkpoint are drawn by a remote GPU and delivered."""
        return self._models[checkpoint].remote

    def model(self, checkpoint: str) -> Model:
        """The model of that checkpoint, and what comes with it."""
        return self._models[checkpoint]

    def check(self, request: GridRequest) -> GridRequest:
        """The request, if it is within the limits; otherwise raises ValueError, in one sentence."""
        self.limits.check(request)
        choice("model", request.checkpoint, self._models)
        return check_drawable(self._models[request.checkpoint].checkpoint.denoiser, request)

    # ---- sessions ---------------------------------------------------------------------------------------------------

    def admit(self, address: str = "") -> str:
        """The token of a new session of a client address, which may have to queue. Raises ServiceFull."""
        with self.lock:
            token = self.sessions.open(self._recorder.rounds, address)
            self.lock.notify_all()  # an idle worker begins to watch for sessions that expire
        return token

    def admit_own(self) -> str:
        """The token of a new session of the service itself, which takes no place and does not expire."""
        with self.lock:
            return self.sessions.open_own(self._recorder.rounds)

    def leave(self, token: str) -> None:
        """Close a session, if there is one of that token, and free what it demanded."""
        with self.lock:
            if self.sessions.close(token):
                self.lock.notify_all()

    def set_demand(
        self, token: str, displayed: Sequence[GridRequest], prefetch: Sequence[GridRequest] = (), followers: int = 0
    ) -> SessionView:
        """Replace what a session displays and prefetches, of any model; returns what there is of it. The session keeps
        its place, also in the queue, whatever it demands; nothing, where its page is hidden. followers: of a class.

        Raises UnknownSession, and ValueError as ``check`` does."""
        demand = Demand(tuple(displayed), tuple(prefetch))
        with self.lock:
            session, position = self.sessions.get(token), self.sessions.queue_position(token)
            session.followers = followers
            if demand != session.demand:
                for request in demand.displayed + demand.prefetch:
                    self.check(request)
                if not position:
                    session.set_demand(demand, self.cache, self._recorder.rounds)
                    if not self.closed:
                        self.worker.start()  # in case that even its restart failed
                    self.lock.notify_all()
            return SessionView(session.version, queue_position=position) if position else self._view(session)

    async def next_view(self, token: str, demand: Demand, version: int, timeout: float) -> SessionView | None:
        """What there is of a demand once its version is another, or after so many seconds; None if the session demands
        something else by then.

        Raises UnknownSession.
        """
        await self.wait_for_update(token, version, timeout)
        with self.lock:
            session = self.sessions.get(token)
            return self._view(session) if session.demand == demand else None

    async def wait_for_update(self, token: str, version: int, timeout: float) -> None:
        """Return when a session's view is no longer of that version, after so many seconds, or when too many wait for
        the same. Holds no thread.

        Raises UnknownSession.
        """
        future = asyncio.get_running_loop().create_future()
        with self.lock:
            session = self.sessions.get(token)
            if session.version != version:
                return
            session.listen(future)
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(future, timeout)
        finally:
            with self.lock:
                session.listeners.pop(future, None)

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Block until a condition on the engine holds, or for so many seconds; returns whether it holds."""
        with self.lock:
            return self.lock.wait_for(condition, timeout)

    def trajectories(self, token: str) -> list[list[Frame]]:
        """The denoising of each grid a session displays, as far as it has come. Raises UnknownSession."""
        with self.lock:
            return [list(job.trajectory) for job in self.sessions.get(token).displayed]

    # ---- whole grids ------------------------------------------------------------------------------------------------

    def draw(self, request: GridRequest) -> np.ndarray:
        """A finished grid (w, class, sample, S, S, C) uint8; blocks until it is drawn.

        It takes no place. Raises ValueError as ``check`` does or for a model of a remote GPU, RuntimeError if it fails.
        """
        with self._own_session([request]) as token, self.lock:
            while not (view := self._poll(token, [request])).complete:
                self.lock.wait(DRAW_POLL)
        return _pixels(view.frames[0])

    async def draw_async(self, request: GridRequest) -> np.ndarray:
        """The same for a coroutine: no thread is held while it waits."""
        [frames] = await self.denoisings([request])
        return _pixels(frames[-1])

    async def denoisings(
        self, requests: Sequence[GridRequest], watch: Callable[[SessionView], None] = lambda view: None
    ) -> list[list[Frame]]:
        """The frames of each grid's denoising, the finished one last; raises as ``draw``.

        watch: called with what there is, at first and about once a second.
        """
        with self._own_session(requests) as token:
            while not (view := self._poll(token, requests)).complete:
                watch(view)
                await self.wait_for_update(token, view.version, DRAW_POLL)
            for frame in view.frames:
                _pixels(frame)
            return self.trajectories(token)

    def deliver(self, drawn: Mapping[GridRequest, np.ndarray | str]) -> None:
        """Add finished grids of a remote GPU, or an error message in place of one."""
        with self.lock:
            jobs = {j for s in self.sessions for j in s.jobs if j.request in drawn and not j.frame.done}
            not_demanded = drawn.keys() - {job.request for job in jobs}  # kept for the next session that demands them
            jobs |= {self.cache.new_job(request) for request in not_demanded}
            for job in jobs:
                result = drawn[job.request]
                if isinstance(result, str):
                    job.fail(result)
                else:
                    job.finish(result, self._models[job.request.checkpoint].measure)
            self._publish(jobs, 0)

    # ---- the whole --------------------------------------------------------------------------------------------------

    def stats(self) -> Stats:
        """What the service measures of itself now."""
        with self.lock:
            return self._recorder.snapshot(self.sessions, self.cache)

    def close(self) -> None:
        """End the worker after its current evaluation, and every wait."""
        with self.lock:
            self.closed = True
            for session in self.sessions:
                session.notify()
            self.lock.notify_all()
        self.worker.join()

    # ---- what the worker calls --------------------------------------------------------------------------------------

    def _next_round(self, samples: int) -> Mapping[GridJob, int]:
        """The blocks of the next round, once there are any; none when the engine is closed."""
        with self.lock:
            while not self.closed:
                self.sessions.expire()
                admitted = self.sessions.admitted
                self.cache.retain(job for session in admitted for job in session.unfinished)
                remote = {digest for digest, model in self._models.items() if model.remote}
                plan = plan_round(admitted, self._recorder.rounds, samples, remote)
                self._ahead = plan.ahead
                if plan.blocks:
                    self._recorder.rounds += 1
                    for session in plan.served:  # even if it demands something else before the round is over
                        session.last_served = self._recorder.rounds
                    return plan.blocks
                self.lock.wait(self.sessions.expiry_interval if len(self.sessions) else None)
        return {}

    def _publish(self, changed: set[GridJob], evaluations: int) -> None:
        """Notify all sessions of what has changed of their jobs after so many evaluations; keep what is finished."""
        with self.lock:
            self._recorder.add_evaluations(evaluations)
            for job in changed:
                self.cache.keep(job)
            for session in self.sessions:
                mine = changed.intersection(session.jobs)
                if any(job.frame.done or job.frame.evaluations == 1 for job in mine):
                    session.notify()
                if any(job in mine and job.frame.done and not job.frame.error for job in session.displayed[:1]):
                    self._recorder.add_first_image(time.monotonic() - session.demanded_at)
            if self._recorder.report_is_due():
                log.info("stats %s", self.stats())
            self.lock.notify_all()

    def _abort(self, sentence: str) -> None:
        with self.lock:
            for job in self.cache.in_progress.values():
                job.fail(sentence)
            for session in self.sessions:
                session.notify()
            self.lock.notify_all()

    # ---- helpers ----------------------------------------------------------------------------------------------------

    def _view(self, session: Session) -> SessionView:
        return session.view(0 if session.has_image else self._ahead.get(session, len(self._ahead)))

    @contextlib.contextmanager
    def _own_session(self, requests: Sequence[GridRequest]) -> Iterator[str]:
        """The token of a session of the service's own for grids that are drawn here. Raises ValueError."""
        for request in requests:
            if self.is_remote(self.check(request).checkpoint):
                raise ValueError(f"model must be one that is drawn here, got {request.checkpoint}")
        token = self.admit_own()
        try:
            yield token
        finally:
            self.leave(token)

    def _poll(self, token: str, requests: Sequence[GridRequest]) -> SessionView:
        """The view of a session that displays these grids only. Raises RuntimeError when the engine is closed."""
        view = self.set_demand(token, requests)
        if self.closed and not view.complete:
            raise RuntimeError("The engine was closed before the pictures were drawn.")
        return view


def _pixels(frame: Frame) -> np.ndarray:
    if frame.pixels is None or frame.error:
        raise RuntimeError(frame.error)
    return frame.pixels
