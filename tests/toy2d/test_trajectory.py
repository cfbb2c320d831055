"""Trajectories: their ends, and the density and the score of each of their levels."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cfg_core.diffusion.noise import noise
from cfg_core.toy2d.drawing import draw_scene
from cfg_core.toy2d.scene import HALVES
from cfg_core.toy2d.trajectory import ARROWS, DENSITY_CELLS, MAX_STEPS, draw_trajectory
from tests.toy2d.reference import LOPSIDED, MIXED, SCENE, log_tilted, score


def places(half):
    """Where the score is given."""
    axis = (np.arange(ARROWS) + 0.5) * 2 * half / ARROWS - half
    return np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)


@pytest.mark.parametrize("scene", [SCENE, replace(LOPSIDED, sampler="heun", steps=20, langevin=1)])
def test_a_trajectory_leads_from_noise_to_the_samples(scene):
    trajectory = draw_trajectory(scene)
    assert np.array_equal(trajectory.paths[0], noise(scene.seed, 0, 0, (scene.points, 2)).numpy())
    assert np.array_equal(trajectory.paths[-1], draw_scene(scene).points)
    assert list(trajectory.log_snrs) == sorted(trajectory.log_snrs)
    assert len(trajectory.log_snrs) == scene.steps + 1
    assert trajectory.log_snrs[-1] == math.inf
    assert len(draw_trajectory(replace(scene, steps=200)).paths) == MAX_STEPS + 1


@pytest.mark.parametrize("scene", [LOPSIDED, MIXED], ids=["LOPSIDED", "MIXED"])
@pytest.mark.parametrize("moment", [5, 30, 50])
def test_the_density_and_the_score_of_a_moment_are_those_of_its_level(scene, moment):
    trajectory = draw_trajectory(scene)
    level = min(trajectory.log_snrs[moment], 20.0)
    axis = np.linspace(-trajectory.half, trajectory.half, DENSITY_CELLS)
    expected = log_tilted(scene, np.stack(np.meshgrid(axis, axis), -1), level)
    assert trajectory.density[moment] == pytest.approx(np.exp(expected - expected.max()), abs=1e-6)
    assert trajectory.score[moment] == pytest.approx(score(scene, places(trajectory.half), level), rel=1e-6, abs=1e-6)


def test_the_square_holds_every_sample_all_the_way():
    far = replace(SCENE, steps=2, w=8.0, sampler="ddim", means=((2.5, 2.5), (2.4, 2.4), (2.4, 2.5)))
    for scene in (SCENE, far):
        trajectory = draw_trajectory(scene)
        assert np.abs(trajectory.paths).max() <= trajectory.half
        drawing = draw_scene(scene)
        assert np.abs([*drawing.points, *drawing.exact]).max() <= drawing.half
    assert trajectory.half > HALVES[0]


def test_the_score_is_guided_in_the_interval_alone():
    scene = replace(LOPSIDED, rule="interval", parameters=(("log_snr_low", -1.0), ("log_snr_high", 2.0)))
    trajectory = draw_trajectory(scene)
    levels = trajectory.log_snrs[5:-5]
    inside = (levels >= -1) & (levels <= 2)
    assert 0 < inside.sum() < len(levels)
    for level, guided, found in zip(levels, inside, trajectory.score[5:-5], strict=True):
        expected = score(scene if guided else replace(scene, w=0.0), places(trajectory.half), level)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
