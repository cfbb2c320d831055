"""Improved precision and recall: which samples lie in the manifold of another set (Kynkäänniemi et al.)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import distance

from cfg_core.evaluation.bootstrap import Array

NEIGHBOURS = 3
"""k of the manifolds of precision and recall, as their authors chose it."""


ROWS = 1000
"""Rows whose distances to all others are in memory together."""


@dataclass(frozen=True)
class Manifold:
    """Where a set lies: a ball around each of its points (N, D) up to the k-th nearest other; squares: radii² (N,).

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
