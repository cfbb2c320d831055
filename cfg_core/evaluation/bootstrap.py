"""How sure a figure is: resampling with replacement, and the interval that follows.

A metric of resampled rows is a function of ``counts`` (N,): how often each row counts, once where they are not given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cfg_core.checks import number

Array = NDArray[np.float64]


Counts = NDArray[np.integer] | Array
"""How often each row counts, (N,)."""


Figure = Callable[[Counts], float]
"""A metric of given samples, as a function of how often each of them counts."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its bootstrap interval, low ≤ high."""

    value: float
    low: float
    high: float


def bootstrap(figure: Figure, count: int, resamples: int = 200, seed: int = 0) -> tuple[float, Array]:
    """A figure of N samples, and of each of their resamples with replacement (resamples,).

    Equal seeds and N pick equal rows: resamples of two models that drew the same noise are paired, and their
    differences give the interval of the difference. Resampling adds the bias of a finite sample a second time, so the
    resamples are shifted back until their mean is the figure itself.
    """
    number("resamples", resamples, 2, 100_000, whole=True)
    random = np.random.default_rng(seed)
    drawn = (np.bincount(random.integers(count, size=count), minlength=count) for _ in range(resamples))
    found = np.array([figure(counts) for counts in drawn])
    value = figure(np.ones(count))
    return value, found - found.mean() + value


def estimate(
    figure: Figure, count: int, resamples: int = 200, seed: int = 0, bounds: tuple[float, float] = (0.0, np.inf)
) -> Estimate:
    """A figure with its 95 % percentile interval, as ``bootstrap`` resamples; it cannot leave its bounds."""
    value, found = bootstrap(figure, count, resamples, seed)
    low, high = np.percentile(found, [2.5, 97.5]).clip(*bounds)
    return Estimate(value, float(low), float(high))


def weighted_mean(values: NDArray[Any], counts: Counts | None) -> float:
    """The mean of values (N,), row n taken counts[n] times."""
    return float(np.average(values, weights=counts))


def entropy(probabilities: Array) -> Array:
    """−Σ p log p over the last axis, in nats."""
    return special.entr(probabilities).sum(-1)
