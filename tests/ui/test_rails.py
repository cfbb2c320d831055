"""The pictures of the class rail: those that ship, else drawn."""

import base64

import numpy as np
import pytest

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.grids.ladder import rail
from cfg_core.serving.engine import Engine
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.model import Model
from cfg_core.ui.rails import Rails


def pixels(rails: Rails, digest: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(rails.pictures(digest)), np.uint8)


def test_pictures_that_ship_are_shown_and_nothing_is_drawn(
    tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = rail(tiny_checkpoint.hash, 10)
    shipped = np.arange(10 * 64, dtype=np.uint8).reshape(1, 10, 1, 8, 8, 1)
    frame = Frame(request, 0, request.evaluations, shipped, precomputed=True)
    engine = Engine(Model(tiny_checkpoint, (frame,)))
    monkeypatch.setattr(engine, "draw", lambda request: pytest.fail("drawn"))
    try:
        assert np.array_equal(pixels(Rails(engine), tiny_checkpoint.hash), shipped.flatten())
    finally:
        engine.close()


def test_without_them_one_picture_of_every_class_is_drawn(tiny_engine: Engine) -> None:
    digest = tiny_engine.checkpoint.hash
    found = pixels(Rails(tiny_engine), digest)
    assert np.array_equal(found, tiny_engine.draw(rail(digest, 10)).flatten())
