"""Fréchet distance (FID): how far the Gaussian fits of two sets of features are apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from cfg_core.evaluation.bootstrap import Array, Counts, Figure


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
    """d² = ‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^{1/2}), the squared Fréchet distance (Dowson & Landau 1982).

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


def frechet_figure(reference: ArrayLike, features: ArrayLike) -> Figure:
    """FID of features (N, D) against a reference (M, D), as a function of how often each of the N counts.

    The reference is held fixed: every figure compares with the same one.
    """
    fixed, rows = Gaussian.fit(reference), _checked(features)
    half = root(fixed.covariance)
    return lambda counts: frechet(fixed, Gaussian.fit(rows, counts), half)
