"""The API for programs, through Gradio's own client: grids, models and statistics, or a sentence."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine

pytestmark = pytest.mark.usefixtures("no_traceback")

DOCS = Path(__file__).parents[2] / "docs"


def test_programs_get_a_grid_and_stats(client: Client, engine: Engine) -> None:
    reply = client.predict(label="1,2", w="0,2.5", samples=3, steps=4, api_name="/grid")
    request = GridRequest(engine.checkpoint.hash, (1, 2), w=(0.0, 2.5), samples=3, steps=4)
    assert reply["shape"] == [2, 2, 3, 8, 8, 1]
    assert base64.b64decode(reply["pixels"]) == engine.draw(request).tobytes()
    again = {"label" if name == "class" else name: value for name, value in reply["request"].items()}
    assert client.predict(**again, api_name="/grid")["pixels"] == reply["pixels"]
    [info] = client.predict(api_name="/models")
    assert (info["hash"], info["classes"]) == (engine.checkpoint.hash, list("0123456789"))
    stats = client.predict(api_name="/stats")
    assert stats["evaluations"] >= request.pictures * request.evaluations


def test_the_documented_example_runs_as_it_stands(client: Client, tmp_path: Path, monkeypatch: Any) -> None:
    [example] = re.findall(r"```python\n(.*?)```", (DOCS / "api.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(example.strip().splitlines()) == 10
    monkeypatch.chdir(tmp_path)
    exec(example.replace("http://127.0.0.1:7860", client.src), {})
    with Image.open("grid.png") as picture:
        assert picture.size == (8 * 8, 2 * 8)


def test_every_endpoint_describes_its_parameters(client: Client) -> None:
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert endpoints.keys() == {"/grid", "/models", "/stats"}
    named = {each["parameter_name"]: each for each in endpoints["/grid"]["parameters"]}
    assert list(named) == ["label", "w", "samples", "seed", "sampler", "steps", "rule", "model", "parameters"]
    assert all(each["parameter_has_default"] for each in named.values())


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"label": 10}, "class must be a whole number from 0 to 9, got 10"),
        ({"w": [1, "x"]}, "w must be a number from -1 to 8, got 'x'"),
        ({"model": "nobody's"}, "model must be one of model (0123456789ab)"),
        ({"samples": 64, "label": "all", "w": [0, 1]}, "samples must be a whole number from 1 to 640, got 1280"),
        ({"sampler": "x" * 10_000}, "sampler must be one of"),
    ],
)
def test_programs_get_a_sentence_for_a_grid_that_cannot_be_drawn(client: Client, payload: Any, sentence: str) -> None:
    with pytest.raises(AppError) as error:
        client.predict(**payload, api_name="/grid")
    assert sentence in str(error.value)
    assert "Traceback" not in str(error.value)
