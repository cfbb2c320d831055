"""Timing side by side: the speed of a machine changes from minute to minute, a ratio within a round much less."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from statistics import median
from time import perf_counter
from typing import Any

Seconds = list[float]
"""How long something took, round by round."""


@dataclass(frozen=True)
class Row:
    """A line of the table. ratio: as ``target`` speaks of it; both are left empty where there is none."""

    measure: str
    ours: str
    reference: str
    ratio: str = ""
    target: str = ""


class Stopwatch:
    """Adds up the seconds that pass inside the functions it was put around."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            begun = perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds += perf_counter() - begun

        return timed


def interleaved(jobs: Sequence[Callable[[], object]], rounds: int) -> list[Seconds]:
    """The seconds of each job in each round, one after the other, after one round that does not count."""
    seconds: list[Seconds] = [[] for _ in jobs]
    for number in range(rounds + 1):
        for job, taken in zip(jobs, seconds, strict=True):
            begun = perf_counter()
            job()
            if number:
                taken.append(perf_counter() - begun)
    return seconds


def ratio(over: Seconds, under: Seconds) -> float:
    """The median of the rounds' ratios."""
    return median(a / b for a, b in zip(over, under, strict=True))


def milliseconds(seconds: Seconds) -> str:
    return f"{1e3 * median(seconds):,.1f} ms"
