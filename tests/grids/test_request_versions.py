"""Requests of yesterday open today, and a request records its parameters and its guide."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cfg_core.grids.ladder import rail
from cfg_core.grids.request import MAX_PICTURES, VERSION, GridRequest
from cfg_core.serving.precomputed import load_strips

STRIPS = Path(__file__).parents[2] / "assets" / "strips"
OLD = (
    '{"checkpoint": "abc", "classes": [8], "w": [0.0, 3.0], "samples": 4, "seed": 7, "sampler": "dpmpp_2m", '
    '"steps": 12, "rule": "classifier"}'
)
"""To the letter what was saved before requests had a version."""


def test_json_saved_before_there_were_versions_opens():
    request = GridRequest.from_json(OLD)
    assert request == GridRequest("abc", (8,), (0.0, 3.0), samples=4, rule="classifier")
    assert (request.parameters, request.guide) == ((("rho", 7.0),), "")
    assert json.loads(request.to_json())["version"] == VERSION


def test_the_shipped_strips_are_those_that_a_page_asks_for_today():
    with np.load(STRIPS / "fashion-mnist.npz") as file:
        saved = [json.loads(text) for text in json.loads(str(file["requests"]))]
    [digest] = {each["checkpoint"] for each in saved}
    found = {frame.request for frame in load_strips(STRIPS, digest)}
    assert len(found) == len(saved)
    for each in saved:
        if len(each["classes"]) > 1:
            assert GridRequest.from_json(json.dumps(each)) == rail(digest, 10)
            continue
        (label,), w = each["classes"], each["w"][0]
        assert GridRequest.parse({"class": str(label), "w": str(w)}, digest, 10, "any guide") in found


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": VERSION + 1}, f"version must be a whole number from 1 to {VERSION}, got {VERSION + 1}"),
        ({"version": "2"}, "version must be a whole number"),
        ({"scale": 4}, "a request must have no fields but version, checkpoint, .*, got 'scale'"),
        ({"parameters": {"eta": 0.5}}, "parameters must be among rho for this rule and sampler, got 'eta'"),
        ({"parameters": {"rho": 50}}, "rho must be a number from 1 to 20, got 50"),
        ({"parameters": "rho"}, "parameters must be an object of names and numbers, got 'rho'"),
        ({"parameters": [["rho", 5]]}, "parameters must be an object of names and numbers"),
        ({"rule": "cfg", "guide": "fed"}, "guide must be empty for the rule cfg, got 'fed'"),
        ({"guide": 5}, "guide must be a text, got 5"),
    ],
    ids=repr,
)
def test_what_a_newer_or_a_broken_file_has_is_refused_by_name(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        GridRequest.from_json(json.dumps({**json.loads(OLD), **change}))


def test_absent_fields_take_their_defaults_the_steps_those_of_the_sampler():
    assert GridRequest.from_json('{"checkpoint": "abc", "classes": [0]}') == GridRequest("abc", (0,))
    assert GridRequest.from_json('{"checkpoint": "abc", "classes": [0], "sampler": "ddim"}').steps == 32
    with pytest.raises(ValueError, match="a request must be a JSON object with checkpoint and classes"):
        GridRequest.from_json('{"checkpoint": "abc"}')


def test_equal_grids_are_equal_requests_however_their_parameters_are_given():
    plain = GridRequest("abc", (0,), sampler="ddim", steps=32, rule="interval")
    default = {"eta": 0, "log_snr_low": -1}
    assert plain == replace(plain, parameters=default) == replace(plain, parameters=(("eta", -0.0),))
    assert hash(plain) == hash(replace(plain, parameters=default))
    assert [name for name, _ in plain.parameters] == ["eta", "log_snr_high", "log_snr_low"]
    chosen = {"class": 0, "sampler": "ddim", "rule": "interval"}
    flat, together = {"eta": "0.0", "log_snr_low": -1.0}, {"parameters": {"eta": 0}}
    assert GridRequest.parse({**chosen, **flat}, "abc", 10) == plain
    assert GridRequest.parse({**chosen, **together}, "abc", 10) == plain


def test_a_link_names_only_what_is_not_the_default():
    request = GridRequest("abc", (0,), sampler="ddim", rule="interval", parameters=(("eta", 0.5),))
    query = request.to_query(10)
    assert query["eta"] == "0.5"
    assert not {"log_snr_low", "log_snr_high", "rho", "guide"} & query.keys()


def test_a_parameter_of_another_sampler_is_refused_in_a_link():
    with pytest.raises(ValueError, match="parameters must be among rho for this rule and sampler, got 'eta'"):
        GridRequest.parse({"eta": "0.5"}, "abc", 10)


def test_the_guide_is_recorded_where_the_rule_asks_one():
    asked = GridRequest.parse({"rule": "classifier"}, "abc", 10, "fed")
    assert asked.guide == asked.to_query(10)["guide"] == "fed"
    assert GridRequest.from_json(asked.to_json()) == asked
    assert GridRequest.parse({"rule": "cfg"}, "abc", 10, "fed").guide == ""
    assert GridRequest.from_json(OLD).guided_by("fed").guide == "fed"


def test_another_guide_than_the_one_at_hand_is_refused():
    with pytest.raises(ValueError, match="guide must be fed, the loaded one, got 'other'"):
        GridRequest.parse({"rule": "classifier", "guide": "other"}, "abc", 10, "fed")


@pytest.mark.parametrize("name", ["w", "class"])
def test_a_list_longer_than_a_grid_is_refused_not_cut(name):
    for value in (",".join(["1"] * (MAX_PICTURES + 1)), [1] * (MAX_PICTURES + 1)):
        with pytest.raises(
            ValueError, match=f"^{name} must be at most {MAX_PICTURES} numbers, got {MAX_PICTURES + 1}$"
        ):
            GridRequest.parse({name: value}, "abc", 10)
    long = ",".join(["1.0000000"] * 2000)  # some 20,000 characters
    assert GridRequest.parse({"w": long, "samples": 1}, "abc", 10).pictures == 2000
