"""Statistics of the service: evaluation rate, latency to the first finished grid, occupancy."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from cfg_core.serving.cache import GridCache
from cfg_core.serving.sessions import Sessions

RATE_WINDOW = 10.0
"""Seconds over which the rate of evaluations is taken."""


REPORT_INTERVAL = 60.0
"""Seconds between two log lines of a busy engine."""


LATENCIES = 1000
"""Latest grids over which the percentiles of the latency are taken."""


@dataclass(frozen=True)
class Stats:
    """A snapshot. sessions, queued: admitted, and waiting for admission. waiting: sessions with an unfinished grid.
    rounds: of the worker. evaluations: of one sample. rate: evaluations a second, over the last seconds.
    first_image_p50, first_image_p95: seconds from a demand to its first displayed grid, of grids that were not in the
    cache."""

    sessions: int
    queued: int
    waiting: int
    samples_in_flight: int
    rounds: int
    evaluations: int
    rate: float
    cached: int
    cached_bytes: int
    cache_hits: int
    first_image_p50: float | None
    first_image_p95: float | None

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())


class Recorder:
    """Counts rounds, evaluations and latencies. Not safe between threads by itself.

    clock: seconds, from any origin.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rounds = 0
        self.evaluations = 0
        self._clock = clock
        self._recent: deque[tuple[float, int]] = deque()
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._reported = clock()

    def add_evaluations(self, count: int) -> None:
        """A round made so many evaluations of one sample."""
        self.evaluations += count
        self._recent.append((self._clock(), count))
        self._drop_old()

    def add_first_image(self, seconds: float) -> None:
        """A session waited so long for its first displayed grid."""
        self._latencies.append(seconds)

    @property
    def rate(self) -> float:
        """Evaluations of one sample a second, over the last RATE_WINDOW seconds."""
        self._drop_old()
        return sum(count for _, count in self._recent) / RATE_WINDOW

    @property
    def first_image(self) -> tuple[float, float] | tuple[None, None]:
        """Median and 95th percentile of the latest latencies in seconds, or None twice where there are none."""
        if not self._latencies:
            return None, None
        p50, p95 = np.percentile(self._latencies, (50, 95))
        return float(p50), float(p95)

    def snapshot(self, sessions: Sessions, cache: GridCache) -> Stats:
        """What there is to report now."""
        admitted = len(sessions.admitted)
        p50, p95 = self.first_image
        return Stats(
            sessions=admitted,
            queued=len(sessions) - admitted,
            waiting=sum(bool(session.unfinished) for session in sessions),
            samples_in_flight=sum(j.samples_in_flight for j in cache.in_progress.values() if not j.frame.done),
            rounds=self.rounds,
            evaluations=self.evaluations,
            rate=self.rate,
            cached=len(cache),
            cached_bytes=cache.nbytes,
            cache_hits=cache.hits,
            first_image_p50=p50,
            first_image_p95=p95,
        )

    def report_is_due(self) -> bool:
        """True once every REPORT_INTERVAL seconds."""
        due = self._clock() - self._reported > REPORT_INTERVAL
        if due:
            self._reported = self._clock()
        return due

    def _drop_old(self) -> None:
        then = self._clock() - RATE_WINDOW
        while self._recent and self._recent[0][0] < then:
            self._recent.popleft()
