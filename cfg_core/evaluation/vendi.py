"""Vendi score: the effective number of different samples."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.spatial import distance

from cfg_core.evaluation.bootstrap import Array, Counts, entropy


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
    return float(np.exp(entropy(linalg.eigvalsh(matrix).clip(0))))
