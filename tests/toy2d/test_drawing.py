"""Drawings against computations that share nothing with the lab but the formulas."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from cfg_core.sampling.loop import sample
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.toy2d.densities import DENSITIES
from cfg_core.toy2d.drawing import CELLS, begin_scene, draw_scene
from cfg_core.toy2d.scene import MEASURED, REACH, RULES, SPREAD, W_RANGE, Scene
from cfg_core.toy2d.trajectory import draw_trajectory
from tests.toy2d.reference import LOPSIDED, MIXED, SCENE, distance, flow, log_tilted


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_unguided_samples_follow_the_class(sampler):
    drawn = draw_scene(replace(SCENE, w=0.0, sampler=sampler, steps=100, seed=2))
    assert drawn.distance < 2 * drawn.exact_distance
    for axis in (0, 1):
        standard = (drawn.points[:, axis] - SCENE.means[0][axis]) / SPREAD
        assert kstest(standard, "norm").pvalue > 0.01


@pytest.mark.parametrize("scene", [SCENE, LOPSIDED, replace(SCENE, w=8.0, label=2)])
def test_guided_samples_and_their_distance_are_those_of_an_independent_computation(scene):
    scene = replace(scene, steps=200, points=100)
    drawn, exact = draw_scene(scene), flow(scene)
    assert np.abs(drawn.points - exact).max() < 0.04
    assert drawn.distance == pytest.approx(distance(scene, exact), abs=0.02)
    assert drawn.distance > 4 * drawn.exact_distance


@pytest.mark.parametrize("scene", [replace(SCENE, w=0.0), SCENE, LOPSIDED, MIXED])
def test_exact_draws_follow_the_tilted_density(scene):
    drawn = draw_scene(scene)
    assert distance(scene, drawn.exact) < 0.06
    assert drawn.exact_distance == pytest.approx(distance(scene, drawn.exact), abs=0.02)


AS_CFG = {
    name: rule.as_cfg or {} for name, rule in RULES.items() if rule.as_cfg is not None or "classifier" in rule.sources
}
"""Rule → parameters with which it guides as plain guidance, those of a classifier because the scores are exact."""


@pytest.mark.parametrize("rule", AS_CFG)
def test_on_exact_scores_every_rule_draws_the_same(rule):
    ruled = {"rule": rule, "parameters": tuple(AS_CFG[rule].items())}
    cfg, other = (draw_scene(replace(LOPSIDED, steps=20, points=100, **fields)) for fields in ({}, ruled))
    assert np.allclose(other.points, cfg.points, atol=1e-5)
    assert np.allclose(
        draw_trajectory(replace(SCENE, steps=2, **ruled)).score, draw_trajectory(replace(SCENE, steps=2)).score
    )


def test_guided_in_no_interval_the_samples_are_unguided():
    nowhere = replace(LOPSIDED, steps=20, rule="interval", parameters=(("log_snr_low", 25.0),))
    assert np.array_equal(draw_scene(nowhere).points, draw_scene(replace(LOPSIDED, steps=20, w=0.0)).points)


def adds_noise(sampler, **parameters):
    """Whether a sampler asks for noise after the start."""
    asked, denoiser = set(), SCENE.mixture()
    job = begin_scene(denoiser, replace(SCENE, sampler=sampler, steps=5, parameters=tuple(parameters.items())))
    start = job.state.noise
    job.state = replace(job.state, noise=lambda step: asked.add(step) or start(step))
    sample(denoiser, job)
    return bool(asked)


def test_the_parameter_of_a_sampler_decides_whether_it_adds_noise():
    assert [adds_noise("ddim", eta=eta) for eta in (0.0, 0.5)] == [False, True]
    assert [adds_noise("dpmpp_2m_sde", eta=eta) for eta in (0.0, 0.5)] == [False, True]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_more_steps_bring_only_samplers_that_add_noise_nearer_and_none_to_the_tilted_density(sampler):
    few, many = (draw_scene(replace(SCENE, sampler=sampler, steps=steps)) for steps in (50, 200))
    assert many.distance > 4 * many.exact_distance
    if adds_noise(sampler):
        assert many.distance < 0.9 * few.distance
    else:
        assert many.distance == pytest.approx(few.distance, abs=0.02)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_langevin_steps_bring_every_sampler_nearer(sampler):
    plain, corrected = (
        draw_scene(replace(SCENE, w=8.0, sampler=sampler, langevin=count, points=200)) for count in (0, 4)
    )
    assert corrected.distance < 0.35 * plain.distance


def test_the_tilted_density_has_its_mass_where_distances_are_measured():
    """Even where another class pulls the strongest guidance outwards from a corner."""
    for apart in (0.1, 0.3, 0.5, 1.0):
        inner = (REACH - apart, REACH - apart)
        scene = Scene(means=((REACH, REACH), inner, inner), w=W_RANGE[1])
        crowded = replace(scene, means=(*scene.means, *[inner] * 6), owners=(0, 1, 2, 1, 1, 1, 2, 2, 2))
        spread = [(REACH, REACH), (-REACH, REACH), (REACH, -REACH), (-REACH, -REACH)]
        pulled = [(x * (1 - apart / REACH), y * (1 - apart / REACH)) for x, y in spread]
        around = replace(scene, means=(*spread, *pulled, *pulled), owners=(0,) * 4 + (1,) * 4 + (2,) * 4)
        flipped = replace(scene, means=tuple((-x, -y) for x, y in scene.means))
        for mirrored in (scene, flipped, crowded, around):
            density = draw_scene(replace(mirrored, steps=1, points=100)).density
            rim = np.concatenate([density[[0, -1]].ravel(), density[:, [0, -1]].ravel()])
            assert rim.max() < 1e-6


@pytest.mark.parametrize("scene", [replace(SCENE, langevin=2), replace(SCENE, sampler="ancestral"), LOPSIDED])
def test_a_scene_is_always_the_same_and_fewer_points_are_the_first_of_more(scene):
    once, again, fewer = draw_scene(scene), draw_scene(scene), draw_scene(replace(scene, points=100))
    assert np.array_equal(once.points, again.points)
    assert (once.distance, once.exact_distance) == (again.distance, again.exact_distance)
    assert np.array_equal(once.points[:100], fewer.points)


def test_the_displayed_density_changes_nothing_else():
    drawn = {density: draw_scene(replace(LOPSIDED, density=density)) for density in DENSITIES}
    assert len({each.distance for each in drawn.values()}) == 1
    axis = np.linspace(-MEASURED, MEASURED, CELLS)
    grid = np.stack(np.meshgrid(axis, axis), -1)
    for density, scene in {"tilted": LOPSIDED, "class": replace(LOPSIDED, w=0.0)}.items():
        expected = log_tilted(scene, grid, 40.0)
        assert drawn[density].density == pytest.approx(np.exp(expected - expected.max()), abs=1e-6)
    every = sum(np.exp(log_tilted(replace(LOPSIDED, w=0.0, label=label), grid, 40.0)) for label in range(3))
    assert drawn["all"].density == pytest.approx(every / every.max(), abs=1e-6)
