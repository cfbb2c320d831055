"""The 2-D lab tab: what its server functions answer, in numbers and in sentences."""

import asyncio
import base64
from dataclasses import replace

import numpy as np
import pytest

from cfg_core.toy2d.drawing import draw_scene
from cfg_core.toy2d.scene import Scene
from cfg_core.toy2d.trajectory import draw_trajectory
from cfg_core.ui import toy2d as tab
from cfg_core.ui.toy2d import PATH_STEPS, Toy2d
from tests.toy2d.reference import LOPSIDED, SCENE


def test_the_page_gets_what_was_computed():
    reply, drawn = asyncio.run(Toy2d().draw(LOPSIDED.to_json())), draw_scene(LOPSIDED)
    assert Scene.parse(reply["scene"]) == LOPSIDED
    assert (reply["distance"], reply["baseline"], reply["half"]) == (drawn.distance, drawn.exact_distance, drawn.half)
    for field in ("points", "exact"):
        sent = np.frombuffer(base64.b64decode(reply[field]), np.float32).reshape(-1, 2)
        assert np.array_equal(sent, getattr(drawn, field).astype(np.float32))
    reply, trajectory = asyncio.run(Toy2d().trajectory(LOPSIDED.to_json())), draw_trajectory(LOPSIDED)
    paths = np.frombuffer(base64.b64decode(reply["paths"]), np.int16).reshape(trajectory.paths.shape)
    step = trajectory.half / PATH_STEPS
    assert np.abs(paths * step - trajectory.paths).max() <= 0.5001 * step
    assert reply["half"] == trajectory.half
    assert reply["log_snrs"] == [*trajectory.log_snrs[:-1].tolist(), None]


@pytest.mark.parametrize("scene", [[], {"colour": 1}, {"w": 9}, {"means": [[0, 0], [1, 1], 2]}], ids=repr)
def test_bad_input_is_answered_by_the_sentence_of_the_scene(scene):
    with pytest.raises(ValueError, match=r"must|not a field") as refused:
        Scene.parse(scene)
    for function in (Toy2d().draw, Toy2d().trajectory):
        assert asyncio.run(function(scene)) == {"ok": False, "error": str(refused.value)}


def test_a_link_keeps_its_good_fields_and_names_the_others():
    reply = Toy2d().restore({"w": 9, "class": 1, "nonsense": 0})
    assert Scene.parse(reply["scene"]) == replace(SCENE, label=1)
    assert reply["notice"] == (
        "In this link, w must be a number from 0 to 8, got 9; 'nonsense' is not a field of a scene."
    )


def test_the_components_of_a_link_are_read_with_their_classes_or_not_at_all():
    means, owners = [[0, 0], [1, 1], [2, 2], [0, 1]], [0, 1, 2, 2]
    reply = Toy2d().restore({"means": means, "owners": owners})
    assert Scene.parse(reply["scene"]) == Scene(means=tuple(map(tuple, means)), owners=tuple(owners))
    reply = Toy2d().restore({"means": means, "owners": [0, 1, 2], "w": 1})
    assert Scene.parse(reply["scene"]) == replace(SCENE, w=1.0)
    assert reply["notice"] == (
        "In this link, owners must be the classes of the 4 means, a whole number each, got (0, 1, 2)."
    )


def test_a_parameter_of_a_link_is_kept_where_the_rule_or_the_sampler_of_the_link_has_it():
    reply = Toy2d().restore({"eta": 0.5, "log_snr_low": 1, "v": 7, "sampler": "ddim"})
    assert Scene.parse(reply["scene"]) == replace(SCENE, sampler="ddim", parameters=(("eta", 0.5),))
    assert reply["notice"] == (
        "In this link, parameters must be among eta for this rule and sampler, got 'log_snr_low'; "
        "parameters must be among eta for this rule and sampler, got 'v'."
    )


def test_more_scenes_than_may_wait_are_refused_and_the_lab_goes_on(monkeypatch):
    monkeypatch.setattr(tab, "QUEUE", 2)
    lab = Toy2d()

    async def many():
        return await asyncio.gather(*(lab.draw(replace(SCENE, seed=seed).to_json()) for seed in range(5)))

    answers = asyncio.run(many())
    assert [answer["ok"] for answer in answers] == [True, True, True, False, False], "one is drawn, two wait"
    assert answers[-1]["error"].startswith("The 2-D lab is full: 2 drawings wait.")
    assert asyncio.run(lab.draw(SCENE.to_json()))["ok"]
