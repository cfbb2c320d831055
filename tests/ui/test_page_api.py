"""What the page's server functions answer over HTTP: frames, or a sentence, never a traceback."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine
from tests.ui.http_calls import NESTED, Call, poll_until_done

pytestmark = pytest.mark.usefixtures("no_traceback")


def bad_requests() -> dict[str, str]:
    """What is wrong, as JSON text → what the sentence says."""
    return {
        '{"class": 10}': "class must be a whole number from 0 to 9, got 10",
        '{"class": "banana"}': "class must be a whole number from 0 to 9, got 'banana'",
        '{"class": [0, 3]}': "class must be one label or all here, got 2 labels",
        '{"class": {"a": 1}}': "class must be",
        json.dumps({"class": NESTED}): "class must be",
        '{"w": NaN}': "w must be a number from -1 to 8, got nan",
        '{"w": "nan"}': "w must be a number from -1 to 8, got nan",
        '{"w": -Infinity}': "w must be a number from -1 to 8, got -inf",
        '{"w": 1e400}': "w must be a number from -1 to 8, got inf",
        f'{{"w": 1{"0" * 4000}}}': "w must be a number from -1 to 8, got 1000",
        '{"w": null}': "w must be a number from -1 to 8, got None",
        '{"w": [1, 2]}': "w must be one number here, got 2",
        '{"seed": "x"}': "seed must be a whole number from 0 to 4294967295, got 'x'",
        '{"seed": 1e30}': "seed must be",
        f'{{"seed": 1{"0" * 400}}}': "seed must be",
        '{"steps": 0}': "steps must be a whole number from 1 to 1024, got 0",
        '{"steps": true}': "steps must be a whole number from 1 to 1024, got True",
        '{"samples": 10000}': "samples must be a whole number from 1 to 64, got 10000",
        '{"sampler": "euler"}': "sampler must be one of dpmpp_2m",
        '{"sampler": ["ddim"]}': "sampler must be one of",
        '{"rule": null}': "rule must be one of cfg",
        '{"rule": "classifier"}': ", got 'classifier'",
        '{"model": "another"}': "model must be one of model (0123456789ab), got 'another'",
        '{"__class__": 1}': "'__class__' is not a field",
    }


def test_malformed_polls_get_a_sentence_and_the_session_goes_on(call: Call, engine: Engine) -> None:
    status, opened = call("open_session", {"query": {}})
    assert status == 200
    token, request_fields = opened["token"], opened["request"]
    _, first = call("poll", {"token": token, "request": request_fields, "seen": {}})
    for problem, sentence in bad_requests().items():
        status, reply = call("poll", {"token": token, "request": {**request_fields, **json.loads(problem)}, "seen": {}})
        assert (status, reply["ok"]) == (200, False), problem
        assert sentence in reply["error"], problem
        assert len(reply["error"]) < 350
        assert "Traceback" not in reply["error"]
    for payload in (
        None,
        7,
        "poll",
        [],
        {},
        {"token": token},
        {"request": request_fields, "token": token, "x": 1} | {"request": 3},
        NESTED,
    ):
        status, reply = call("poll", payload)
        assert (status, reply["ok"]) == (200, False), payload
        assert reply["error"] == "a poll must be an object with token, request, reference and seen"
    for guess in (None, 0, "", "guessed", token[:-1], [token], {"a": NESTED}, "x" * 10_000):
        status, reply = call("poll", {"token": guess, "request": request_fields})
        assert (status, reply["ok"], reply["unknown"]) == (200, False, True)
    for seen in (None, 3, "x", [1], {"a": NESTED}, {"0": "x", str(10**40): -1}):
        status, reply = call("poll", {"token": token, "request": request_fields, "seen": seen})
        assert (status, reply["ok"]) == (200, True), seen
    frames = poll_until_done(call, token, request_fields)
    assert [frame["serial"] for frame in frames] == [frame["serial"] for frame in first["frames"]]
    assert [frame["w"] for frame in frames] == [0.0, 3.0]
    for frame in frames:
        request = GridRequest(engine.checkpoint.hash, (0,), w=(frame["w"],))
        assert base64.b64decode(frame["pixels"]) == engine.draw(request).tobytes()


@pytest.mark.parametrize(
    "payload", [None, 3, "x", [], {"query": 3}, {"query": [1]}, {"query": {"surprise": 1}}], ids=repr
)
def test_opening_a_session_without_a_query_gives_the_default(call: Call, payload: Any) -> None:
    status, reply = call("open_session", payload)
    assert status == 200
    assert reply["notice"] == ""
    assert reply["request"] == {
        "model": "0123456789ab", "class": 0, "w": 3.0, "seed": 7, "samples": 16,
        "sampler": "dpmpp_2m", "steps": 12, "rule": "cfg", "rho": 7.0,
    }  # fmt: skip
    assert np.frombuffer(base64.b64decode(reply["rail"]), np.uint8).size == 10 * 8 * 8


def test_a_malformed_link_gives_the_default_and_one_sentence(call: Call) -> None:
    query = {"class": "banana", "w": "nan", "seed": NESTED, "steps": 0, "samples": "4", "model": None}
    status, reply = call("open_session", {"query": query})
    assert status == 200
    assert reply["request"] | {"samples": 16} == call("open_session", {})[1]["request"]
    assert reply["request"]["samples"] == 4
    model = "In this link, model must be one of model (0123456789ab), got None; "
    assert reply["notice"].startswith(model + "class must be a whole number from 0 to 9, got 'banana'; w must be")
    assert reply["notice"].count("In this link") == 1
    for field in ("seed", "steps"):
        assert f"; {field} must be" in reply["notice"]


def test_only_these_functions_can_be_called(call: Call) -> None:
    for name in ("draw", "parse", "__init__", "restore", "engine", ""):
        assert call(name, {})[0] == 404


def test_a_trajectory_has_every_step_of_both_grids(call: Call, engine: Engine) -> None:
    session = call("open_session", {"query": {"samples": "2", "steps": "3", "w": "2.5", "seed": "12"}})[1]
    poll_until_done(call, session["token"], session["request"])
    status, reply = call("trajectory", {"token": session["token"]})
    assert (status, reply["ok"]) == (200, True)
    assert [[frame["evaluations"] for frame in each] for each in reply["trajectories"]] == [[1, 2, 3], [1, 2, 3]]
    request = GridRequest(engine.checkpoint.hash, (0,), w=(2.5,), samples=2, seed=12, steps=3)
    assert base64.b64decode(reply["trajectories"][1][-1]["pixels"]) == engine.draw(request).tobytes()
    for guess in (None, {}, {"token": "guessed"}, 3):
        assert call("trajectory", guess)[1]["unknown"]


def test_a_session_may_be_closed_twice(call: Call, engine: Engine) -> None:
    token = call("open_session", {})[1]["token"]
    for payload in ({"token": token}, {"token": token}, None, {"token": NESTED}):
        assert call("close_session", payload) == (200, {"ok": True})
    assert call("poll", {"token": token, "request": {}})[1]["unknown"]
