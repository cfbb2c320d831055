"""The API for programs, through Gradio's own client: grids, models and statistics, or a sentence."""

import asyncio
import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from gradio_client.utils import StatusUpdate
from PIL import Image

from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import read_requests
from cfg_core.guidance.rules import rules
from cfg_core.serving.engine import Engine
from cfg_core.ui.call_queue import SERVED_OF_ADDRESS

pytestmark = pytest.mark.usefixtures("no_traceback")


def test_programs_get_a_grid_and_stats(client: Client, engine: Engine) -> None:
    reply = client.predict(label="1,2", w="0,2.5", samples=3, steps=4, api_name="/grid")
    request = GridRequest(engine.checkpoint.hash, (1, 2), w=(0.0, 2.5), samples=3, steps=4)
    assert reply["shape"] == [2, 2, 3, 8, 8, 1]
    assert reply["classes"] == ["1", "2"]
    assert reply["seconds"] > 0
    assert base64.b64decode(reply["pixels"]) == engine.draw(request).tobytes()
    again = {"label" if name == "class" else name: value for name, value in reply["request"].items()}
    assert client.predict(**again, api_name="/grid")["pixels"] == reply["pixels"]
    stats = client.predict(api_name="/stats")
    assert stats["evaluations"] >= request.pictures * request.evaluations


def test_programs_are_told_what_there_is_to_draw_with(client: Client, engine: Engine) -> None:
    told = client.predict(api_name="/models")
    [model] = told["models"]
    assert (model["hash"], model["classes"]) == (engine.checkpoint.hash, list("0123456789"))
    assert model["rules"] == list(rules(engine.checkpoint.denoiser))
    interval = next(rule for rule in told["rules"] if rule["name"] == "interval")
    assert {parameter["name"] for parameter in interval["parameters"]} == {"log_snr_low", "log_snr_high"}
    ddim = next(sampler for sampler in told["samplers"] if sampler["name"] == "ddim")
    assert ddim["steps"] == 32
    assert [(each["name"], each["low"], each["high"], each["default"]) for each in ddim["parameters"]] == [
        ("eta", 0.0, 1.0, 0.0)
    ]
    for field, (low, high) in told["limits"].items():
        assert low < high, field
    assert told["limits"]["samples"] == [1, 64]


def test_a_png_is_a_labelled_sheet_with_its_request_inside(client: Client, engine: Engine, tmp_path: Path) -> None:
    reply = client.predict(label="3", w="2", samples=4, steps=3, format="png", api_name="/grid")
    assert "pixels" not in reply
    (tmp_path / "grid.png").write_bytes(base64.b64decode(reply["png"]))
    assert read_requests(tmp_path / "grid.png") == (
        GridRequest(engine.checkpoint.hash, (3,), w=(2.0,), samples=4, steps=3),
    )


def test_pictures_on_their_way_come_after_each_evaluation(client: Client) -> None:
    asked = {"label": "3", "w": "0,2", "samples": 4, "steps": 3, "intermediate": True, "api_name": "/grid"}
    reply = client.predict(**asked)
    assert [step["evaluations"] for step in reply["steps"]] == [1, 2, 3]
    assert reply["steps"][-1]["pixels"] == reply["pixels"]
    assert len({step["pixels"] for step in reply["steps"]}) == 3
    shape = np.frombuffer(base64.b64decode(reply["steps"][0]["pixels"]), np.uint8).reshape(reply["shape"]).shape
    assert shape == (2, 1, 4, 8, 8, 1)
    sheets = client.predict(**asked, format="png")["steps"]
    for sheet in sheets:
        Image.open(BytesIO(base64.b64decode(sheet["png"]))).verify()


def statuses(job: Any) -> list[StatusUpdate]:
    """All that a call is told of its state until it is over."""

    async def listen() -> list[StatusUpdate]:
        return [update async for update in job if update.type == "status"]

    return asyncio.run(listen())


def test_progress_and_the_place_in_the_queue_are_told_while_a_call_waits(client: Client) -> None:
    long = {"label": "1", "sampler": "ancestral", "steps": 512, "api_name": "/grid"}
    jobs = [client.submit(**long, seed=seed) for seed in range(SERVED_OF_ADDRESS + 1)]
    told = [statuses(job) for job in jobs]
    for job in jobs:
        assert job.result()["shape"] == [1, 1, 16, 8, 8, 1]
    progress = [each.progress_data[0] for updates in told for each in updates if each.progress_data]
    assert {(each.length, each.unit) for each in progress} == {(512, "evaluations")}
    assert any(each.index > 0 for each in progress)
    assert any(each.rank is not None for each in told[-1])


def test_every_endpoint_describes_its_parameters(client: Client) -> None:
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert endpoints.keys() == {"/grid", "/models", "/stats"}
    named = {each["parameter_name"]: each for each in endpoints["/grid"]["parameters"]}
    assert list(named) == [
        "label", "w", "samples", "seed", "sampler", "steps", "rule", "model", "parameters", "format", "intermediate",
    ]  # fmt: skip
    assert all(each["parameter_has_default"] for each in named.values())


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"label": 10}, "class must be a whole number from 0 to 9, got 10"),
        ({"label": "Bag"}, "class must be a whole number from 0 to 9, got 'Bag'"),
        ({"label": {"a": 1}}, "class must be"),
        ({"w": [1, "x"]}, "w must be a number from -1 to 8, got 'x'"),
        ({"model": "nobody's"}, "model must be one of model (0123456789ab)"),
        ({"samples": 64, "label": "all", "w": [0, 1]}, "samples must be a whole number from 1 to 640, got 1280"),
        ({"sampler": "x" * 10_000}, "sampler must be one of"),
        ({"format": "jpeg"}, "format must be one of pixels, png, got 'jpeg'"),
        ({"intermediate": "yes"}, "intermediate must be true or false, got 'yes'"),
        ({"intermediate": True, "samples": 1, "w": "1," * 16 + "1"}, "w with intermediate must be a whole number from"),
    ],
)
def test_programs_get_a_sentence_for_a_grid_that_cannot_be_drawn(client: Client, payload: Any, sentence: str) -> None:
    with pytest.raises(AppError) as error:
        client.predict(**payload, api_name="/grid")
    assert sentence in str(error.value)
    assert "Traceback" not in str(error.value)
