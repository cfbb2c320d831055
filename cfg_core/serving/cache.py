"""One job for equal requests: finished ones in an LRU cache bounded in bytes, those in progress, precomputed ones."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from cachetools import LRUCache

from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame, GridJob


class GridCache:
    """The jobs of requests. Not safe between threads by itself: the engine calls it under its lock.

    capacity: bytes of the finished grids that are kept. hits: requests that were answered by a finished grid.
    in_progress: the jobs that some session waits for.
    """

    def __init__(self, capacity: int) -> None:
        self.hits = 0
        self.in_progress: dict[GridRequest, GridJob] = {}
        self._finished: LRUCache[GridRequest, GridJob] = LRUCache(capacity, lambda job: job.nbytes)
        self._precomputed: dict[GridRequest, GridJob] = {}
        self._serials = count(secrets.randbits(40))  # so that a page that outlives a restart never confuses serials

    def job(self, request: GridRequest) -> GridJob:
        """The one job of a request: finished, in progress, or new. One that failed is begun anew."""
        if job := self._finished.get(request):
            self.hits += 1
            return job
        job = self.in_progress.get(request)
        if job is None or job.frame.error:
            job = self.in_progress[request] = self.new_job(request)
        return job

    def new_job(self, request: GridRequest) -> GridJob:
        """A job with a new serial, which no other request shares."""
        return GridJob(Frame(request, next(self._serials)))

    def precomputed(self, request: GridRequest) -> GridJob | None:
        """The grid of a request that ships with the app, if there is one."""
        return self._precomputed.get(request)

    def add_precomputed(self, frames: Iterable[Frame]) -> None:
        """Add finished grids that ship with the app."""
        self._precomputed |= {f.request: GridJob(replace(f, serial=next(self._serials))) for f in frames}

    def keep(self, job: GridJob) -> None:
        """Keep a job that has finished without error, unless it alone is larger than the cache."""
        if job.frame.done and not job.frame.error and job.nbytes <= self._finished.maxsize:
            self._finished[job.request] = job

    def retain(self, jobs: Iterable[GridJob]) -> None:
        """Drop all jobs in progress but these."""
        self.in_progress = {job.request: job for job in jobs}

    @property
    def nbytes(self) -> int:
        """Bytes of the finished grids that are kept."""
        return int(self._finished.currsize)

    def __len__(self) -> int:
        """How many finished grids are kept."""
        return len(self._finished)
