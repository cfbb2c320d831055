"""The sliced Wasserstein-1 distance of 2-D samples from a density on a grid, and exact draws from it.

Samples and density are projected on K directions θ_k. On a line, the Wasserstein-1 distance is the mean gap between
quantiles (Bonneel et al. 2015, Sliced and Radon Wasserstein Barycenters of Measures):

    SW(P, Q) = 1/K Σ_k ∫₀¹ |F⁻¹(t; θ_k·P) − F⁻¹(t; θ_k·Q)| dt

It is 0 where both agree, and in the units of the axes. Densities are (cells, cells), a row for each y, over the square
[−half, half]²; they need not be normalised.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DIRECTIONS = 16


def directions() -> Array:
    """Unit vectors θ over the half circle, (DIRECTIONS, 2); none along an axis, where the grid's columns coincide."""
    angles = (np.arange(DIRECTIONS) + 0.5) * math.pi / DIRECTIONS
    return np.stack([np.cos(angles), np.sin(angles)], 1)


@lru_cache(maxsize=4)
def _projected(half: float, cells: int) -> tuple[NDArray[np.intp], Array]:
    """The cells of the grid in the order of their projections, and these projections: (DIRECTIONS, cells²) each."""
    axis = np.linspace(-half, half, cells)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    projections = directions() @ np.stack([x.ravel(), y.ravel()])
    order = projections.argsort(1)
    return order, np.take_along_axis(projections, order, 1)


def quantiles(density: Array, half: float, count: int) -> Array:
    """Quantiles of a density's projections at the levels (i + ½)/count: (DIRECTIONS, count), increasing."""
    order, projections = _projected(half, len(density))
    mass = (density / density.sum()).ravel()[order]
    cumulative = mass.cumsum(1) - mass / 2
    levels = (np.arange(count) + 0.5) / count
    return np.stack([np.interp(levels, *direction) for direction in zip(cumulative, projections, strict=True)])


def sliced_wasserstein(points: Array, target: Array) -> float:
    """Distance of points (N, 2) from the density whose ``quantiles`` (DIRECTIONS, N) are given."""
    return float(np.abs(np.sort(directions() @ points.T, axis=1) - target).mean())


def exact_draws(density: Array, half: float, count: int, generator: np.random.Generator) -> Array:
    """Independent points (count, 2) drawn from a density, each uniformly within its cell."""
    cells = len(density)
    cumulative = density.ravel().cumsum()
    cell = np.searchsorted(cumulative, generator.random(count) * cumulative[-1], side="right")
    within = generator.random((count, 2)) - 0.5
    return (np.stack([cell % cells, cell // cells], 1) + within) * 2 * half / (cells - 1) - half
