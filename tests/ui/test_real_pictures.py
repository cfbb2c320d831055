"""Real pictures of a class, over HTTP: those of the shipped sheet, or a sentence."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.model_folder import REAL
from cfg_core.serving.engine import Engine
from cfg_core.serving.registry import load_model
from tests.conftest import served
from tests.ui.http_calls import NESTED, Call, page_call

MODEL = Path(__file__).parents[2] / "checkpoints" / "fashion-mnist"


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    engine = Engine(load_model(describe_model(MODEL), torch.device("cpu")))
    with served(engine) as (address, page):
        yield page_call(address, page)
    engine.close()


def test_the_pictures_are_those_of_the_sheet_that_ships(call: Call) -> None:
    model = call("describe_model", {})[1]["model"]
    assert model["real"] == {"data": "fashion_mnist", "licence": "MIT (Zalando Research)"}
    with Image.open(MODEL / REAL) as picture:
        sheet = np.asarray(picture)
    _, bags = call("real_pictures", {"model": model["hash"], "class": 8})
    pixels = np.frombuffer(base64.b64decode(bags["pixels"]), np.uint8).reshape(bags["samples"], 28, 28)
    assert bags["samples"] == sheet.shape[1] // 28
    assert np.array_equal(pixels[2], sheet[8 * 28 : 9 * 28, 2 * 28 : 3 * 28])
    _, every = call("real_pictures", {"model": model["hash"], "class": "all"})
    assert base64.b64decode(every["pixels"])[8 * pixels.size : 9 * pixels.size] == pixels.tobytes()


@pytest.mark.parametrize("label", [10, -1, "8", None, NESTED, True])
def test_a_class_that_is_none_gets_a_sentence(call: Call, label: Any) -> None:
    model = call("describe_model", {})[1]["model"]["hash"]
    status, reply = call("real_pictures", {"model": model, "class": label})
    assert (status, reply["ok"]) == (200, False)
    assert "class must be a whole number from 0 to 9, got" in reply["error"]


@pytest.mark.parametrize("payload", [None, 3, {}, {"model": "fashion-mnist", "class": 1}, {"model": NESTED}])
def test_a_model_that_is_none_gets_a_sentence(call: Call, payload: Any) -> None:
    sentence = "model must be the hash of a model with real pictures"
    assert call("real_pictures", payload) == (200, {"ok": False, "error": sentence})
