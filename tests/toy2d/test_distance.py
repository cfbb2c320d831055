"""The sliced distance against scipy's distance on a line."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from cfg_core.toy2d.distance import directions, exact_draws, quantiles, sliced_wasserstein


def test_the_sliced_distance_is_scipys():
    generator = np.random.default_rng(0)
    density = generator.random((31, 31))
    points = exact_draws(generator.random((31, 31)), 2.0, 400, generator) + 0.3
    axis = np.linspace(-2, 2, 31)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    each = [wasserstein_distance(points @ u, grid @ u, v_weights=density.ravel()) for u in directions()]
    assert sliced_wasserstein(points, quantiles(density, 2.0, 400)) == pytest.approx(np.mean(each), rel=0.01)
