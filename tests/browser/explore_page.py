"""Reading and driving the Explore tab. What its canvases show is compared, bit for bit, with the sampling loop."""

import base64
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import Checkpoint, load_checkpoint, save_checkpoint
from cfg_core.grids.drawing import begin_grid, pixels
from cfg_core.grids.request import FIELDS, PARAMETERS, GridRequest
from cfg_core.sampling.loop import generate
from cfg_core.serving import zerogpu
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry

QUICK = "?samples=4&steps=3"

RUNGS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
BELOW = (-1.0, -0.5)

IDLE = """() => document.querySelector('.explore')?.dataset.state === 'idle'
  && [...document.querySelectorAll('.pane canvas')].every(canvas => canvas.dataset.done === 'true')"""

READ = """canvas => {
  const {data, width, height} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return {width, height, data: btoa(Array.from(data, byte => String.fromCharCode(byte)).join(''))};
}"""

RECORD = """() => {
  const pane = document.querySelector('.pane.guided'), canvas = pane.querySelector('canvas'), seen = new Map();
  window.record = () => [...seen.values()];
  (function look() {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const pixels = btoa(Array.from(data, byte => String.fromCharCode(byte)).join(''));
    const shown = {...canvas.dataset, caption: pane.querySelector('.shown').textContent, pixels};
    seen.set(JSON.stringify(shown), shown);
    requestAnimationFrame(look);
  })();
}"""


def wait_until_idle(page: Any) -> Any:
    page.wait_for_function(IDLE)
    return page


def wait_until_strip_is_filled(page: Any) -> Any:
    page.wait_for_function("document.querySelector('.explore')?.dataset.missing === '0'")
    return wait_until_idle(page)


def sheet(request: GridRequest, images: np.ndarray) -> np.ndarray:
    """The canvas (row, column, RGBA) that shows these images (w, class, sample, S, S, 1 or 3)."""
    tiles = images[0].reshape(-1, *images.shape[3:])
    columns = request.samples if len(request.classes) > 1 else math.ceil(math.sqrt(request.samples))
    rows, pitch = math.ceil(len(tiles) / columns), images.shape[3] + 1
    canvas = np.zeros((rows * pitch - 1, columns * pitch - 1, 4), np.uint8)
    for n, tile in enumerate(tiles):
        top, left = n // columns * pitch, n % columns * pitch
        canvas[top : top + pitch - 1, left : left + pitch - 1, :3] = tile
        canvas[top : top + pitch - 1, left : left + pitch - 1, 3] = 255
    return canvas


def frames(checkpoint: Checkpoint, request: GridRequest) -> list[np.ndarray]:
    """What the canvas shows after each evaluation, from the sampling loop."""
    states = generate(checkpoint.denoiser, begin_grid(checkpoint.denoiser, request))
    return [sheet(request, pixels(request, state.x)) for state, _ in states if state.x is not None]


def canvas(page: Any, pane: str) -> np.ndarray:
    read = page.locator(f".explore >> .pane.{pane} canvas").evaluate(READ)
    return np.frombuffer(base64.b64decode(read["data"]), np.uint8).reshape(read["height"], read["width"], 4)


def query(page: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def request_in_url(page: Any, engine: Engine) -> GridRequest:
    """The request that the URL names."""
    fields = {name: value for name, value in query(page).items() if name in (*FIELDS, *PARAMETERS)}
    checkpoint = engine.checkpoints[fields["model"]]
    return GridRequest.parse(fields, checkpoint.hash, len(checkpoint.config.classes), checkpoint.guide)


def assert_shows(page: Any, engine: Engine, **expected: str) -> GridRequest:
    """Once the page rests: the URL says expected, and canvases, captions and names show exactly its request."""
    wait_until_idle(page)
    found = query(page)
    assert found | expected == found
    request = request_in_url(page, engine)
    for pane, w in (("unguided", 0.0), ("guided", request.w[0])):
        shown = page.locator(f".explore >> .pane.{pane} canvas")
        drawn = frames(engine.checkpoints[request.checkpoint], replace(request, w=(w,)))
        assert np.array_equal(canvas(page, pane), drawn[-1]), pane
        assert float(shown.get_attribute("data-w")) == w
        assert shown.get_attribute("data-classes") == ",".join(map(str, request.classes))
        assert (
            float(page.locator(f".explore >> .pane.{pane} .shown").inner_text().removeprefix("w = ").replace("−", "-"))
            == w
        )
    bubble = page.locator(".explore >> .track output").inner_text()
    assert float(bubble.removeprefix("w = ").replace("−", "-")) == request.w[0]
    return request


def thumb_position(page: Any, w: float, rungs: tuple[float, ...] = RUNGS) -> tuple[float, float]:
    """Where the thumb of the guidance slider is at w: over its rung, between two rungs linear in w."""
    box = page.locator(".explore >> input.w").bounding_box()
    at = np.interp(w, rungs, np.linspace(0, 1, len(rungs)))
    return box["x"] + 12 + at * (box["width"] - 24), box["y"] + box["height"] / 2


def open_setting(page: Any, name: str) -> Any:
    """Open "rules" or "samplers" in the list of settings."""
    page.locator(f".explore >> .setting.{name} summary").click()
    return page.locator(f".explore >> .setting.{name}")


def readings(page: Any, pane: str) -> tuple[float, float]:
    """How sure the classifier is of a grid, and how many of its pictures differ, as its caption says."""
    words = page.locator(f".explore >> .pane.{pane} .meters").inner_text().split()
    assert (words[0], words[2], words[4]) == ("sure", "·", "of")
    return float(words[1]), float(words[3])


def class_position(page: Any, stop: str) -> tuple[float, float]:
    box = page.locator(".explore >> .rail li", has=page.get_by_text(stop, exact=True)).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def remote_registry(engine: Engine, tmp_path: Path) -> ModelRegistry:
    """A model whose grids are drawn by a remote GPU, a strip at a time."""
    folder = tmp_path / "large"
    save_checkpoint(folder, engine.checkpoint.config, engine.checkpoint.denoiser.network.state_dict())
    info = describe_model(folder)
    return ModelRegistry(Engine(Model(load_checkpoint(folder), remote=True)), [info])


def waiting_gpu(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], threading.Event]:
    """A remote GPU that draws once the event is set: its calls so far, and the event."""
    calls: list[Any] = []
    go = threading.Event()

    def draw(*call: Any) -> Any:
        calls.append(call)
        assert go.wait(60)
        return zerogpu.draw_on_gpu(*call)

    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: draw)
    return calls, go
