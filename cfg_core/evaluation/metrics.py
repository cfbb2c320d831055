"""Metrics of samples, from features (N, D) or class probabilities (N, K), one row a picture.

Fréchet distance (FID), Inception Score, improved precision and recall, Vendi score. A figure is worth what stands
beside it: the extractor, the number of samples, and the same figure for as many held-out real pictures, its floor. A
metric of resampled pictures takes ``counts`` (N,): how often each row counts, once where they are not given.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, special
from scipy.spatial import distance

from cfg_core.checks import number

Array = NDArray[np.float64]


Counts = NDArray[np.integer] | Array
"""How often each row counts, (N,)."""


Figure = Callable[[Counts], float]
"""A metric of given samples, once it is known how often each of them counts."""


@dataclass(frozen=True)
class Gaussian:
    """The Gaussian fit of some features: mean (D,), covariance (D, D), unbiased; float64."""

    mean: Array
    covariance: Array

    @classmethod
    def fit(cls, features: ArrayLike, counts: Counts | None = None) -> "Gaussian":
        """Of features (N, D), row n taken counts[n] times (once, where counts is not given).

        Raises ValueError for fewer than D + 1 samples, whose covariance would be singular, and for a value that is not
        finite.
        """
        rows = _checked(features)
        times = np.ones(len(rows)) if counts is None else np.asarray(counts, dtype=np.float64)
        total = times.sum()
        mean = times @ rows / total
        centred = rows - mean
        return cls(mean, (centred * times[:, None]).T @ centred / (total - 1))


def _checked(features: ArrayLike) -> Array:
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"features must have the shape (samples, dimensions), got {rows.shape}")
    count, dimensions = rows.shape
    if count <= dimensions:
        raise ValueError(
            f"samples must be at least {dimensions + 1} for features of {dimensions} dimensions, got {count}"
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"features must be finite, got {np.count_nonzero(~np.isfinite(rows))} values that are not")
    return rows


def root(covariance: Array) -> Array:
    """The symmetric square root of a positive semi-definite matrix; eigenvalues that rounding made negative count as 0.

    The usual ``sqrtm(A @ B)`` of a matrix that is not symmetric can return complex numbers where a covariance is nearly
    singular; this cannot.
    """
    values, vectors = linalg.eigh(covariance)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def frechet(a: Gaussian, b: Gaussian, root_a: Array | None = None) -> float:
    """‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^{1/2}), the squared Fréchet distance (Dowson & Landau 1982).

    (Σ_a Σ_b)^{1/2} has the trace of (Σ_a^{1/2} Σ_b Σ_a^{1/2})^{1/2}, whose matrix is symmetric. root_a: Σ_a^{1/2},
    where it is known already. Raises ValueError for Gaussians of different dimensions.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"features must have the same dimensions, got {len(a.mean)} and {len(b.mean)}")
    half = root(a.covariance) if root_a is None else root_a
    shared = np.sqrt(linalg.eigvalsh(half @ b.covariance @ half).clip(0)).sum()
    apart = np.square(a.mean - b.mean).sum()
    return max(0.0, float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * shared))


def frechet_distance(features_a: ArrayLike, features_b: ArrayLike) -> float:
    """FID of two sets of features (N, D) and (M, D) (Heusel et al., arXiv 1706.08500, eq. 6), in float64.

    Symmetric, 0 for equal sets, and biased upwards by a small number of samples. Raises ValueError for too few samples
    (D or fewer), for values that are not finite and for different dimensions.
    """
    return frechet(Gaussian.fit(features_a), Gaussian.fit(features_b))


def inception_score(probabilities: ArrayLike, counts: Counts | None = None) -> float:
    """exp E KL(p(y|x) ‖ p(y)) (Salimans et al., arXiv 1606.03498) of class probabilities (N, K); from 1 to K.

    Over all samples at once: the mean over splits that is often quoted is lower by the bias of the smaller sets. Raises
    ValueError for rows that are no probabilities.
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2 or not np.all(rows >= 0) or not np.allclose(rows.sum(1), 1, atol=1e-4):
        raise ValueError(f"probabilities must be rows (N, K) that sum to 1, got the shape {rows.shape}")
    return float(np.exp(_entropy(np.average(rows, axis=0, weights=counts)) - _mean(_entropy(rows), counts)))


def _entropy(probabilities: Array) -> Array:
    return special.entr(probabilities).sum(-1)


def _mean(values: NDArray[Any], counts: Counts | None) -> float:
    return float(np.average(values, weights=counts))


NEIGHBOURS = 3
"""k of the manifolds of precision and recall, as their authors chose it."""


ROWS = 1000
"""Rows whose distances to all others are held at once."""


@dataclass(frozen=True)
class Manifold:
    """Where a set lies: around each of its points (N, D) a ball that reaches the k-th nearest other, radii² (N,).

    Kynkäänniemi et al. (arXiv 1904.06991), eq. 1. The share of samples that the manifold of real pictures holds is
    precision, fidelity; the share of real pictures that the manifold of samples holds is recall, diversity.
    """

    points: Array
    squares: Array

    @classmethod
    def fit(cls, features: ArrayLike, neighbours: int = NEIGHBOURS) -> "Manifold":
        """Raises ValueError unless there are more points than neighbours, all finite."""
        points = np.asarray(features, dtype=np.float64)
        if points.ndim != 2 or len(points) <= neighbours or not np.isfinite(points).all():
            raise ValueError(f"features must be more than {neighbours} finite rows, got the shape {points.shape}")
        nearest = [np.partition(found, neighbours, axis=1)[:, neighbours] for found in _squares(points, points)]
        return cls(points, np.concatenate(nearest))

    def holds(self, features: ArrayLike) -> NDArray[np.bool_]:
        """Which of these (M, D) lie in one of the balls: (M,). Raises ValueError for another dimension."""
        rows = np.asarray(features, dtype=np.float64)
        if rows.shape[1:] != self.points.shape[1:]:
            raise ValueError(f"features must have {self.points.shape[1]} dimensions, got the shape {rows.shape}")
        return np.concatenate([(found <= self.squares).any(1) for found in _squares(rows, self.points)])


def _squares(a: Array, b: Array) -> Iterator[Array]:
    """Squared distances of rows, block by block; differences first, so that equal points are at exactly 0."""
    for first in range(0, len(a), ROWS):
        yield distance.cdist(a[first : first + ROWS], b, "sqeuclidean")


def vendi_score(features: ArrayLike, counts: Counts | None = None) -> float:
    """The effective number of different samples (Friedman & Dieng, arXiv 2210.02410), from 1 to N.

    exp of the entropy of the eigenvalues of K/N, where K holds the cosine similarities of features (N, D); they are
    those of a D×D matrix, so that N may be large. Raises ValueError for a row of zeros, which has no direction.
    """
    rows = np.asarray(features, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if rows.ndim != 2 or not lengths.all() or not np.isfinite(lengths).all():
        raise ValueError(f"features must be finite rows other than 0, got the shape {rows.shape}")
    times = np.ones(len(rows)) if counts is None else np.asarray(counts, dtype=np.float64)
    rows = rows / lengths * np.sqrt(times / times.sum())[:, None]
    return _effective_number(rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T)


def vendi_score_near(features: ArrayLike, bandwidth: float) -> float:
    """The Vendi score under the Gaussian kernel exp(−‖a − b‖²/2h²) of features (N, D), h the bandwidth; from 1 to N.

    Where cosines hardly tell pictures of one class apart, this does: two samples count as one where they are much
    nearer than h. Raises ValueError for features that are not finite or a bandwidth that is not positive.
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all() or not bandwidth > 0:
        raise ValueError(f"features must be finite rows and bandwidth positive, got {rows.shape} and {bandwidth}")
    squares = distance.cdist(rows, rows, "sqeuclidean")
    return _effective_number(np.exp(-squares / (2 * bandwidth**2)) / len(rows))


def _effective_number(matrix: Array) -> float:
    """exp of the entropy of the eigenvalues of a positive semi-definite matrix of trace 1."""
    return float(np.exp(_entropy(linalg.eigvalsh(matrix).clip(0))))


# ---- how sure a figure is ----


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


def frechet_figure(reference: ArrayLike, features: ArrayLike) -> Figure:
    """FID of features (N, D) against a reference (M, D), as a function of how often each of the N counts.

    The reference is held fixed: every figure compares with the same one.
    """
    fixed, rows = Gaussian.fit(reference), _checked(features)
    half = root(fixed.covariance)
    return lambda counts: frechet(fixed, Gaussian.fit(rows, counts), half)


# ---- the table ----


@dataclass(frozen=True)
class Judged:
    """What a classifier of clean pictures says of N of them: features (N, D), p(y|x) (N, K), and their labels (N,)."""

    features: Array
    probabilities: Array
    labels: NDArray[np.int64]

    @property
    def own(self) -> Array:
        """p(its own class | picture), (N,)."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]


@dataclass(frozen=True)
class Reference:
    """Real pictures to compare with: the features of all (M, D), and the manifold of as many as are compared."""

    features: Array
    manifold: Manifold


@dataclass(frozen=True)
class Metric:
    """estimate: (reference, judged) → the figure with its interval."""

    title: str
    estimate: Callable[[Reference, Judged], Estimate]


def _fid(reference: Reference, judged: Judged) -> Estimate:
    return estimate(frechet_figure(reference.features, judged.features), len(judged.labels))


def _inception(reference: Reference, judged: Judged) -> Estimate:
    bounds = 1.0, float(judged.probabilities.shape[1])
    return estimate(lambda counts: inception_score(judged.probabilities, counts), len(judged.labels), bounds=bounds)


def _precision(reference: Reference, judged: Judged) -> Estimate:
    return _share(reference.manifold.holds(judged.features))


def _recall(reference: Reference, judged: Judged) -> Estimate:
    return _share(Manifold.fit(judged.features).holds(reference.manifold.points))


def _share(values: NDArray[Any]) -> Estimate:
    return estimate(lambda counts: _mean(values, counts), len(values), bounds=(0.0, 1.0))


def _vendi(reference: Reference, judged: Judged) -> Estimate:
    count = len(judged.labels)
    return estimate(lambda counts: vendi_score(judged.features, counts), count, bounds=(1.0, float(count)))


METRICS: dict[str, Metric] = {
    "fid": Metric("FID", _fid),
    "inception": Metric("Inception Score", _inception),
    "precision": Metric("precision", _precision),
    "recall": Metric("recall", _recall),
    "p_correct": Metric("p(own class)", lambda _, judged: _share(judged.own)),
    "vendi": Metric("Vendi score", _vendi),
}
