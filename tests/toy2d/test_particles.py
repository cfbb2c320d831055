"""Feynman–Kac correction in the lab: its samples follow the tilted density, measured independently."""

from dataclasses import replace

import numpy as np
import pytest

from cfg_core.toy2d.drawing import draw_scene
from cfg_core.toy2d.same_cost import of_same_cost
from cfg_core.toy2d.scene import Scene
from cfg_core.toy2d.trajectory import draw_trajectory
from tests.toy2d.reference import SCENE, distance

PARTICLES = replace(SCENE, sampler="dpmpp_2m_sde", resampled=True, langevin=1, steps=100, points=2000)


def test_at_w_3_two_thousand_particles_follow_the_tilted_density_ten_times_nearer_than_plain_guidance():
    drawn = draw_scene(PARTICLES)
    found = distance(PARTICLES, drawn.points)
    assert found < 2 * distance(PARTICLES, drawn.exact)
    assert found == pytest.approx(drawn.distance, abs=0.01)
    deterministic = replace(SCENE, steps=200, points=2000)
    assert distance(deterministic, draw_scene(deterministic).points) > 10 * found
    assert drawn.beside["plain"] > 5 * found
    assert drawn.beside["langevin"] > found
    assert 100 < drawn.effective < 2000


def test_what_they_are_compared_with_costs_the_same():
    for scene in (
        PARTICLES,
        replace(PARTICLES, langevin=0, steps=50),
        replace(PARTICLES, sampler="ancestral", langevin=3, steps=20),
    ):
        for other in of_same_cost(scene).values():
            assert other.evaluations == scene.evaluations
            assert not other.resampled


def test_particles_are_always_the_same_and_their_way_ends_where_they_are_drawn():
    few = replace(PARTICLES, steps=10, points=200)
    once, again, trajectory = draw_scene(few), draw_scene(few), draw_trajectory(few)
    assert np.array_equal(once.points, again.points)
    assert np.array_equal(trajectory.paths[-1], once.points)
    plain = draw_scene(replace(few, resampled=False))
    assert (plain.effective, plain.beside) == (None, {})


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"resampled": 1}, "resampled must be true or false, got 1"),
        ({"resampled": True, "rule": "apg"}, "resampled needs the rule cfg and a sampler"),
        ({"resampled": True, "sampler": "heun"}, "resampled needs the rule cfg and a sampler"),
        ({"resampled": True, "sampler": "ddim"}, "resampled needs the rule cfg and a sampler"),
        ({"rule": "cfg_plus_plus", "langevin": 1}, "langevin must be 0 for the rule cfg_plus_plus, got 1"),
        ({"rule": "cfg_plus_plus", "sampler": "heun"}, "sampler must be one of ddim for the rule cfg_plus_plus, got"),
    ],
)
def test_what_they_do_not_go_with_is_refused(raw, sentence):
    with pytest.raises(ValueError, match=sentence):
        Scene.parse(raw)


def test_without_a_sampler_they_get_one_that_diffuses_and_a_rule_one_that_it_may_be_used_with():
    assert Scene.parse({"resampled": True}).sampler == "dpmpp_2m_sde"
    assert Scene.parse({"rule": "cfg_plus_plus"}).sampler == "ddim"
    assert Scene.parse({"resampled": True, "sampler": "ddim", "eta": 1}).resampled
