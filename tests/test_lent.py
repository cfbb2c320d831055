"""Where a GPU is lent for one call at a time. A real one could not be had here; docs/spaces.md says so."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cfg_core import checkpoints, lent, models
from cfg_core.checkpoints import Checkpoint
from cfg_core.engine import Engine, Model
from cfg_core.grid import draw_grid
from cfg_core.models import Models
from cfg_core.request import GridRequest, strip
from cfg_core.ui.api import Api
from cfg_core.ui.component import encoded
from cfg_core.work import Frame


@pytest.mark.parametrize(("said", "here"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_the_machine_says_whether_it_lends(monkeypatch: pytest.MonkeyPatch, said: str, here: bool) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", said)
    assert lent.here() is here


def test_a_call_asks_for_the_gpu_once_and_draws_what_the_loop_draws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, tiny_checkpoint: Checkpoint
) -> None:
    asked: list[int] = []
    spaces = SimpleNamespace(GPU=lambda duration: asked.append(duration) or (lambda draw: draw))
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    checkpoints.save(tmp_path / "model", tiny_checkpoint.config, tiny_checkpoint.denoiser.network.state_dict())
    offered = models.offer(tmp_path / "model")
    requests = strip(GridRequest(offered.hash, (2,), samples=2, steps=3))[:3]
    drawn = lent.drawer()(offered, requests)
    assert asked == [lent.SECONDS]
    for request, pixels in zip(requests, drawn, strict=True):
        assert np.array_equal(pixels, draw_grid(tiny_checkpoint.denoiser, request))


def test_elsewhere_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert lent.drawer() is lent.draw


def test_the_worker_leaves_such_grids_alone_until_they_are_delivered(tiny_checkpoint: Checkpoint) -> None:
    engine = Engine(Model(tiny_checkpoint, elsewhere=True))
    token, request = engine.admit(), GridRequest(tiny_checkpoint.hash, (1,), samples=2, steps=2)
    nobodys, other = (GridRequest(tiny_checkpoint.hash, (label,), samples=2, steps=2) for label in (2, 3))

    def frame(of: GridRequest) -> Frame:
        [found] = engine.want(token, [of]).frames
        return found

    assert not frame(request).done
    pictures = draw_grid(tiny_checkpoint.denoiser, request)
    engine.deliver({request: pictures, nobodys: pictures})
    assert frame(request).done
    assert frame(request).pixels is pictures
    assert engine.stats().evaluations == 0
    assert frame(nobodys).pixels is pictures, "who has left meanwhile finds it when they come back"
    frame(other)
    engine.deliver({other: "The pictures could not be drawn: no time left"})
    assert frame(other).error == "The pictures could not be drawn: no time left"
    engine.leave(token)
    token = engine.admit()
    assert frame(request).pixels is pictures, "what was delivered is kept"
    engine.close()


def test_programs_have_a_grid_drawn_elsewhere_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, tiny_checkpoint: Checkpoint
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(lent, "drawer", lambda: lambda *ask: calls.append(ask) or lent.draw(*ask))
    checkpoints.save(tmp_path / "model", tiny_checkpoint.config, tiny_checkpoint.denoiser.network.state_dict())
    offered = models.offer(tmp_path / "model")
    engine = Engine(Model(checkpoints.load(tmp_path / "model"), elsewhere=True))
    request = GridRequest(offered.hash, (2,), w=(1.5,), samples=2, steps=3)
    with pytest.raises(ValueError, match="model must be one that is drawn here"):
        engine.draw(request)
    told = Api(Models(engine, [offered])).grid("2", "1.5", 2, steps=3)
    assert told["pixels"] == encoded(draw_grid(tiny_checkpoint.denoiser, request).tobytes())
    assert calls == [(offered, [request])]
    engine.close()
