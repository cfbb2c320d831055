"""Grids of a remote GPU, allocated for one call at a time; without a real one (docs/spaces.md)."""

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import Checkpoint, load_checkpoint, save_checkpoint
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving import zerogpu
from cfg_core.serving.engine import Engine
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry
from cfg_core.serving.zerogpu import CALL_SECONDS, draw_on_gpu, gpu_draw, is_zerogpu
from cfg_core.ui.api import Api
from cfg_core.ui.component import encoded


@pytest.mark.parametrize(("said", "here"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_the_environment_says_whether_this_is_zerogpu(monkeypatch: pytest.MonkeyPatch, said: str, here: bool) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", said)
    assert is_zerogpu() is here


def test_a_call_asks_for_the_gpu_once_and_draws_what_the_loop_draws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, tiny_checkpoint: Checkpoint
) -> None:
    asked: list[int] = []
    spaces = SimpleNamespace(GPU=lambda duration: asked.append(duration) or (lambda draw: draw))
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    save_checkpoint(tmp_path / "model", tiny_checkpoint.config, tiny_checkpoint.denoiser.network.state_dict())
    info = describe_model(tmp_path / "model")
    requests = strip(GridRequest(info.hash, (2,), samples=2, steps=3))[:3]
    drawn = gpu_draw()(info, requests)
    assert asked == [CALL_SECONDS]
    for request, pixels in zip(requests, drawn, strict=True):
        assert np.array_equal(pixels, draw_grid(tiny_checkpoint.denoiser, request))


def test_outside_zerogpu_the_function_is_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert gpu_draw() is draw_on_gpu


def test_the_worker_leaves_such_grids_alone_until_they_are_delivered(tiny_checkpoint: Checkpoint) -> None:
    engine = Engine(Model(tiny_checkpoint, remote=True))
    token, request = engine.admit(), GridRequest(tiny_checkpoint.hash, (1,), samples=2, steps=2)
    not_demanded, other = (GridRequest(tiny_checkpoint.hash, (label,), samples=2, steps=2) for label in (2, 3))

    def frame(of: GridRequest) -> Frame:
        [found] = engine.set_demand(token, [of]).frames
        return found

    assert not frame(request).done
    pictures = draw_grid(tiny_checkpoint.denoiser, request)
    engine.deliver({request: pictures, not_demanded: pictures})
    assert frame(request).done
    assert frame(request).pixels is pictures
    assert engine.stats().evaluations == 0
    assert frame(not_demanded).pixels is pictures, "a session that comes back finds it"
    frame(other)
    engine.deliver({other: "The pictures could not be drawn: no time left"})
    assert frame(other).error == "The pictures could not be drawn: no time left"
    engine.leave(token)
    token = engine.admit()
    assert frame(request).pixels is pictures, "what was delivered is kept"
    engine.close()


def test_programs_have_a_grid_drawn_by_a_remote_gpu_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, tiny_checkpoint: Checkpoint
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: lambda *ask: calls.append(ask) or draw_on_gpu(*ask))
    save_checkpoint(tmp_path / "model", tiny_checkpoint.config, tiny_checkpoint.denoiser.network.state_dict())
    info = describe_model(tmp_path / "model")
    engine = Engine(Model(load_checkpoint(tmp_path / "model"), remote=True))
    request = GridRequest(info.hash, (2,), w=(1.5,), samples=2, steps=3)
    with pytest.raises(ValueError, match="model must be one that is drawn here"):
        engine.draw(request)
    reply = asyncio.run(Api(ModelRegistry(engine, [info])).grid("2", "1.5", 2, steps=3))
    assert reply["pixels"] == encoded(draw_grid(tiny_checkpoint.denoiser, request).tobytes())
    assert calls == [(info, [request])]
    engine.close()
