"""Scenes as they arrive from outside."""

import math
from itertools import pairwise

import numpy as np
import pytest

from cfg_core.guidance.rules.interval import HIGH
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.toy2d.scene import HALVES, PARAMETERS, RULES, Scene, half_of
from tests.toy2d.reference import LOPSIDED, MIXED, SCENE


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ([], "a scene must be an object, got []"),
        ({"colour": 1}, "'colour' is not a field of a scene"),
        ({"label": 1}, "'label' is not a field of a scene"),
        ({"class": 3}, "class must be a whole number from 0 to 2, got 3"),
        ({"w": 9}, "w must be a number from 0 to 8, got 9"),
        ({"w": math.nan}, "w must be a number from 0 to 8, got nan"),
        ({"w": "3"}, "w must be a number from 0 to 8, got '3'"),
        ({"steps": 0}, "steps must be a whole number from 1 to 200, got 0"),
        ({"steps": 10.5}, "steps must be a whole number from 1 to 200, got 10.5"),
        ({"langevin": 9}, "langevin must be a whole number from 0 to 8, got 9"),
        ({"points": 50}, "points must be a whole number from 100 to 2000, got 50"),
        ({"seed": -1}, "seed must be a whole number from 0 to 4294967295, got -1"),
        ({"sampler": "euler"}, f"sampler must be one of {', '.join(SAMPLERS)}, got 'euler'"),
        ({"rule": None}, f"rule must be one of {', '.join(RULES)}, got None"),
        ({"density": "x"}, "density must be one of tilted, class, all, got 'x'"),
        ({"eta": 0.5}, "parameters must be among rho for this rule and sampler, got 'eta'"),
        ({"sampler": "ddim", "eta": 2}, "eta must be a number from 0 to 1, got 2"),
        ({"rule": "interval", "log_snr_low": "x"}, "log_snr_low must be a number from -25 to 25, got 'x'"),
        ({"parameters": {}}, "'parameters' is not a field of a scene"),
        ({"means": [[0, 0], [1, 1]]}, "means must be 3 to 12 points of two numbers each, got ((0, 0), (1, 1))"),
        ({"means": [[0, 0], [1, 1], 2]}, "means must be 3 to 12 points of two numbers each, got ((0, 0), (1, 1), 2)"),
        ({"means": [[0, 0]] * 4}, "owners must be the classes of the 4 means, a whole number each, got (0, 1, 2)"),
        ({"owners": 7}, "owners must be the classes of the 3 means, a whole number each, got 7"),
        ({"owners": [0, 1, 3]}, "owners must be a whole number from 0 to 2, got 3"),
        ({"owners": [0, 1, 1]}, "class C must have 1 to 4 components, got 0"),
        ({"means": [[0, 0]] * 2, "owners": [1, 2]}, "class A must have 1 to 4 components, got 0"),
        ({"means": [[0, 0]] * 7, "owners": [0, 1, 2, 0, 0, 0, 0]}, "class A must have 1 to 4 components, got 5"),
        ({"means": [[0, 0], [1, 1], [0, 2.6]]}, "means must be a number from -2.5 to 2.5, got 2.6"),
        ({"means": [[0, 0], [1, 1], [0, None]]}, "means must be a number from -2.5 to 2.5, got None"),
    ],
)
def test_bad_input_gets_one_sentence(raw, sentence):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Scene.parse(raw)
    assert str(error.value).startswith(sentence)


def test_json_restores_a_scene_and_absent_fields_take_their_defaults():
    assert Scene.parse(LOPSIDED.to_json()) == LOPSIDED
    assert Scene.parse(MIXED.to_json()) == MIXED
    assert Scene.parse({}) == SCENE


def test_the_parameters_of_rule_and_sampler_are_fields_of_a_scene():
    scene = Scene.parse({"rule": "interval", "sampler": "ddim", "eta": 1, "log_snr_low": -2})
    own = {"eta": 1.0, "log_snr_low": -2.0, "log_snr_high": HIGH.default}
    assert scene.values == own
    assert {name: value for name, value in scene.to_json().items() if name in PARAMETERS} == own
    assert Scene.parse(scene.to_json()) == scene
    assert Scene.parse({"rho": 7.0}) == SCENE, "what is at its default makes no other scene"


def test_the_displayed_square_is_the_smallest_that_holds_all_points():
    points = np.zeros((5, 2))
    assert half_of(points) == HALVES[0]
    for half, larger in pairwise(HALVES):
        points[3, 1] = -half
        assert half_of(points) == half
        assert half_of(points, points * 1.001) == larger
    assert half_of(points * 1e6) == HALVES[-1]
