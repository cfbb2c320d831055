"""Two sweeps compared at equal fidelity: a figure of each where its mean p(own class|x) is the same.

Rules of guidance that are compared at equal w differ first of all in how hard they guide. So each curve over w is read
where its samples are equally sure of their class, by linear interpolation in that mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cfg_core.evaluation.bootstrap import Array, Counts, Estimate, Figure, weighted_mean

LEVELS = (0.85, 0.90, 0.95, 0.98)
"""Means of p(own class|x) at which rules are compared."""


@dataclass(frozen=True)
class Traced:
    """A sweep over W strengths. own (W, N): p(own class|x) of sample i, of the same noise at every w. figures: a metric
    at every w, as a function of how often each row counts: of the N samples, or of the real images if ``real`` has
    their number (recall)."""

    own: Array
    figures: Sequence[Figure]
    real: int | None = None

    def at(self, levels: Sequence[float], counts: Counts, real_counts: Counts | None) -> Array:
        """The figure at each level, (L,); nan where the sweep does not reach it."""
        sure = np.array([weighted_mean(own, counts) for own in self.own])
        chosen = real_counts if self.real is not None and real_counts is not None else counts
        values = np.array([figure(chosen) for figure in self.figures])
        order = sure.argsort(kind="stable")
        return np.interp(levels, sure[order], values[order], left=np.nan, right=np.nan)


@dataclass(frozen=True)
class Comparison:
    """At one level of mean p(own class|x): the figure of a rule and of plain guidance, and their difference with its
    95 % interval."""

    level: float
    rule: float
    plain: float
    difference: Estimate

    @property
    def told_apart(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return not self.difference.low <= 0 <= self.difference.high


def compared_at_equal_fidelity(
    rule: Traced, plain: Traced, levels: Sequence[float] = LEVELS, resamples: int = 200, seed: int = 0
) -> list[Comparison]:
    """The comparison at every level that both sweeps reach, by a paired bootstrap: each resample takes the same noises,
    and the same real images, of both sweeps. A level that a twentieth of the resamples miss is left out.

    The resamples are shifted until their mean is the difference itself, as in ``bootstrap``. Raises ValueError unless
    both sweeps have as many samples, and as many real images.
    """
    if rule.own.shape[1] != plain.own.shape[1] or rule.real != plain.real:
        raise ValueError(
            f"both sweeps must have as many samples and real images, got {rule.own.shape[1]} and {rule.real}, "
            f"{plain.own.shape[1]} and {plain.real}"
        )
    random = np.random.default_rng(seed)

    def drawn(count: int) -> Counts:
        return np.bincount(random.integers(count, size=count), minlength=count)

    def both(counts: Counts, real: Counts | None) -> tuple[Array, Array]:
        return rule.at(levels, counts, real), plain.at(levels, counts, real)

    count = rule.own.shape[1]
    ours, theirs = both(np.ones(count), None if rule.real is None else np.ones(rule.real))
    found = np.empty((resamples, len(levels)))
    for row in found:
        resampled = both(drawn(count), None if rule.real is None else drawn(rule.real))
        row[:] = resampled[0] - resampled[1]
    comparisons = []
    for n, level in enumerate(levels):
        reached = found[np.isfinite(found[:, n]), n]
        value = float(ours[n] - theirs[n])
        if not np.isfinite(value) or len(reached) < 0.95 * resamples:
            continue
        low, high = np.percentile(reached - reached.mean() + value, [2.5, 97.5])
        comparisons.append(
            Comparison(level, float(ours[n]), float(theirs[n]), Estimate(value, float(low), float(high)))
        )
    return comparisons
