"""The tab "Inside a step": what its server functions answer, in numbers and in sentences."""

import asyncio
import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfg_core.grids.request import GridRequest
from cfg_core.grids.trajectory import draw_trajectory, guided_at
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui import step as tab
from cfg_core.ui.step import Step

REQUEST = {"model": "0123456789ab", "class": 3, "w": 2, "samples": 5, "steps": 6}


@pytest.fixture
def step(tiny_engine: Engine) -> Step:
    return Step(ModelRegistry(tiny_engine))


def answered(function: Any, payload: Any) -> dict[str, Any]:
    """The answer once there is one."""

    async def ask() -> dict[str, Any]:
        while (reply := await function(payload)).get("waiting"):
            assert reply["evaluations"] <= reply["total"]
        return reply

    return asyncio.run(ask())


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float32)


@pytest.fixture
def trajectory(tiny_checkpoint):
    return draw_trajectory(tiny_checkpoint.denoiser, GridRequest.parse(REQUEST, "0123456789ab", 10))


def test_the_page_gets_what_was_computed(step, trajectory, tiny_checkpoint, monkeypatch):
    monkeypatch.setattr(tab, "CHUNK", 4 * trajectory.parts[0, 0].nbytes)
    reply = answered(step.read, {"request": REQUEST, "link": {}})
    assert reply["log_snrs"] == trajectory.log_snrs.tolist()
    assert np.array_equal(floats(reply["norms"]["x"]), trajectory.norms_x.ravel())
    assert np.array_equal(floats(reply["norms"]["eps"]), trajectory.norms_eps.ravel())
    assert base64.b64decode(reply["samples"]) == trajectory.samples.tobytes()
    assert (reply["shape"], reply["class"], reply["linear"], reply["interval"]) == ([1, 8, 8], "3", True, None)
    assert (reply["chunk"], reply["acts"]) == (4, [True] * 6)
    chunks = [answered(step.parts, {"request": REQUEST, "sample": 2, "chunk": chunk})["parts"] for chunk in (0, 1)]
    assert np.array_equal(np.concatenate(list(map(floats, chunks))), trajectory.parts[1].ravel())
    guided = answered(step.guided, {"request": REQUEST, "sample": 2, "step": 3, "w": 5.0})
    for name, expected in zip(("x", "eps"), guided_at(tiny_checkpoint.denoiser, trajectory, 1, 2, 5.0), strict=True):
        assert np.array_equal(floats(guided[name]), expected.ravel())


def test_an_interval_is_a_band_and_where_it_acts(step):
    parameters = {"rule": "interval", "log_snr_low": -3, "log_snr_high": 3.5}
    reply = answered(step.read, {"request": REQUEST | parameters})
    assert reply["interval"] == [-3.0, 3.5]
    assert reply["acts"] == [-3 <= level <= 3.5 for level in reply["log_snrs"]]


def test_a_link_without_a_place_opens_where_the_class_still_makes_half_of_its_largest_difference(step, trajectory):
    place = answered(step.read, {"request": REQUEST})["place"]
    norms = trajectory.norms_x[:, 0]
    assert (place["sample"], place["w"], place["view"]) == (1, 2.0, "x")
    assert norms[place["step"] - 1] >= norms.max() / 2
    assert all(norms[place["step"] :] < norms.max() / 2)


def test_a_link_keeps_its_good_fields_and_names_the_others(step):
    link = {"sample": 4, "step": 7, "step_w": 9, "step_view": "v"}
    reply = answered(step.read, {"request": REQUEST, "link": link})
    assert reply["place"]["sample"] == 4
    assert reply["place"]["w"] == 2.0
    assert reply["notice"] == (
        "In this link, step must be a whole number from 1 to 6, got 7; step_w must be a number from -1 to 8, got 9; "
        "step_view must be one of x, eps, got 'v'."
    )


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ([], "a call must be an object with request"),
        ({"request": REQUEST | {"w": 9}}, "w must be a number from -1 to 8, got 9"),
        ({"request": REQUEST | {"class": "all"}}, "class must be one label here, got 10 labels"),
        ({"request": REQUEST | {"model": "x"}}, "model must be one of model (0123456789ab), got 'x'"),
    ],
    ids=["no request", "w", "class", "model"],
)
def test_bad_requests_are_answered_by_a_sentence(step, payload, sentence):
    for function in (step.read, step.parts, step.guided):
        assert answered(function, payload) == {"ok": False, "error": sentence}


@pytest.mark.parametrize(
    ("function", "place", "sentence"),
    [
        ("parts", {"sample": 6, "chunk": 0}, "sample must be a whole number from 1 to 5, got 6"),
        ("parts", {"sample": 1, "chunk": 1}, "chunk must be a whole number from 0 to 0, got 1"),
        ("guided", {"sample": 1, "step": 0, "w": 0}, "step must be a whole number from 1 to 6, got 0"),
        ("guided", {"sample": 1, "step": 1, "w": "3"}, "w must be a number from -1 to 8, got '3'"),
    ],
)
def test_bad_places_are_answered_by_a_sentence(step, function, place, sentence):
    assert answered(getattr(step, function), {"request": REQUEST, **place}) == {"ok": False, "error": sentence}


def test_a_model_of_a_remote_gpu_is_refused_by_a_sentence(tiny_checkpoint):
    engine = Engine(Model(tiny_checkpoint, remote=True))
    try:
        reply = answered(Step(ModelRegistry(engine)).read, {"request": REQUEST})
    finally:
        engine.close()
    assert reply == {"ok": False, "error": "model must be one that is drawn here, got 0123456789ab"}


def test_a_full_service_is_busy(step, monkeypatch):
    monkeypatch.setattr("cfg_core.serving.trajectories.QUEUE", 0)
    reply = answered(step.read, {"request": REQUEST})
    assert (reply["ok"], reply["busy"]) == (False, True)


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=3)
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["read", "parts", "guided"]),
    st.dictionaries(st.sampled_from(["link", "sample", "chunk", "step", "w"]), VALUES, max_size=4),
    st.dictionaries(st.sampled_from(["link", "sample", "step", "step_w", "step_view"]), VALUES, max_size=3),
)
def test_any_payload_gets_an_answer(step, function, payload, link):
    reply = answered(getattr(step, function), {"link": link, **payload, "request": REQUEST})
    assert reply["ok"] or len(reply["error"]) < 200
