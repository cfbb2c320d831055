"""Sliced Wasserstein distance of points in the plane from a density on a grid, and exact draws from that density.

Points and density are projected on some directions; on a line the distance is the mean gap between quantiles (Bonneel
et al. 2015, Sliced and Radon Wasserstein Barycenters of Measures). 0: they agree; it is in the plane's own units.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


DIRECTIONS = 16


def directions() -> Array:
    """Unit vectors over the half circle, (DIRECTIONS, 2); none along an axis, where a grid's columns coincide."""
    angles = (np.arange(DIRECTIONS) + 0.5) * math.pi / DIRECTIONS
    return np.stack([np.cos(angles), np.sin(angles)], 1)


@lru_cache(maxsize=4)
def _projected(low: float, high: float, cells: int) -> tuple[NDArray[np.intp], Array]:
    """The cells of a square grid in the order of their projections, and these: (DIRECTIONS, cells²) each."""
    axis = np.linspace(low, high, cells)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    along = directions() @ np.stack([x.ravel(), y.ravel()])
    order = along.argsort(1)
    return order, np.take_along_axis(along, order, 1)


def quantiles(density: Array, low: float, high: float, count: int) -> Array:
    """Of a density (cells, cells) over the square [low, high]², at the levels (i + ½)/count: (DIRECTIONS, count)."""
    order, along = _projected(low, high, len(density))
    mass = (density / density.sum()).ravel()[order]
    below = mass.cumsum(1) - mass / 2
    levels = (np.arange(count) + 0.5) / count
    return np.stack([np.interp(levels, *line) for line in zip(below, along, strict=True)])


def sliced_wasserstein(points: Array, of_density: Array) -> float:
    """Mean over the directions of the Wasserstein-1 distance: points (N, 2) from ``quantiles`` (DIRECTIONS, N)."""
    return float(np.abs(np.sort(directions() @ points.T, axis=1) - of_density).mean())


def exact_draws(density: Array, low: float, high: float, count: int, generator: np.random.Generator) -> Array:
    """Points (count, 2) drawn from a density (cells, cells) over [low, high]², each anywhere in its cell."""
    cells = len(density)
    total = density.ravel().cumsum()
    cell = np.searchsorted(total, generator.random(count) * total[-1], side="right")
    within = generator.random((count, 2)) - 0.5
    return low + (np.stack([cell % cells, cell // cells], 1) + within) * (high - low) / (cells - 1)
