"""What a person takes away: pictures with their requests inside, films, and what draws the same elsewhere."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cfg_core.checkpoints.catalog import ModelInfo
from cfg_core.checks import choice, number
from cfg_core.grids.code import command_line, notebook, python_code
from cfg_core.grids.film import film, film_frame
from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheets, save_sheet
from cfg_core.program import ROOT
from cfg_core.serving.engine import Engine
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.component import encoded
from cfg_core.ui.requests import STRIP_PICTURES, PageRequests
from cfg_core.ui.turns import Full, Turns

MADE, QUEUE, OF_ADDRESS = 2, 64, 48
"""Files that are made at once, each for another address; that may wait, of these of one address. More are refused."""

STRIP_W = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
"""The columns of a saved strip."""

STRIP_ROWS = 16
"""Pictures of a saved strip under each w, at most."""


@dataclass(frozen=True)
class Shown:
    """What is on the screen. checkpoint: where the guided grid's model is. titles: of the models, by their hashes.
    sample: the picture that is pointed at."""

    engine: Engine
    guided: GridRequest
    reference: GridRequest
    checkpoint: str
    titles: Mapping[str, str]
    sample: int

    @property
    def classes(self) -> list[str]:
        return list(self.engine.checkpoints[self.guided.checkpoint].config.classes)

    @property
    def name(self) -> str:
        """The beginning of a file's name."""
        what = self.classes[self.guided.classes[0]] if len(self.guided.classes) == 1 else "all"
        return re.sub(r"[^\w.-]+", "-", f"{what}-w{self.guided.w[0]:g}").lower()

    async def draw(self, request: GridRequest) -> np.ndarray:
        """Pictures (w, class, sample, S, S, C) uint8 of one w at a time, as the page has them in its cache."""
        drawn = [await self.engine.draw_async(replace(request, w=(w,))) for w in request.w]
        return np.concatenate(drawn)


async def _sheet(shown: Shown, *requests: GridRequest) -> bytes:
    file = BytesIO()
    pictures = [await shown.draw(request) for request in requests]
    save_sheet(draw_sheets(requests, pictures, shown.classes, shown.titles), file, *requests)
    return file.getvalue()


async def grid(shown: Shown) -> bytes:
    """The guided grid, labelled."""
    return await _sheet(shown, shown.guided)


async def both_grids(shown: Shown) -> bytes:
    """Both grids side by side, labelled."""
    if replace(shown.reference, w=shown.guided.w) == shown.guided:
        return await _sheet(shown, replace(shown.guided, w=shown.reference.w + shown.guided.w))
    return await _sheet(shown, shown.reference, shown.guided)


async def strip_sheet(shown: Shown) -> bytes:
    """The same noises over w, a column each."""
    return await _sheet(shown, replace(shown.guided, w=STRIP_W, samples=min(STRIP_ROWS, shown.guided.samples)))


async def picture(shown: Shown) -> bytes:
    """One picture at its own pixels."""
    number("sample", shown.sample, 0, shown.guided.pictures - 1, whole=True)
    drawn = await shown.draw(shown.guided)
    chosen = drawn.reshape(-1, *drawn.shape[3:])[shown.sample]
    file = BytesIO()
    Image.fromarray(chosen if chosen.shape[2] == 3 else chosen[..., 0]).save(file, "PNG")
    return file.getvalue()


def sweep_film(file_format: str) -> Callable[[Shown], Awaitable[bytes]]:
    """The change over w."""

    async def sweep(shown: Shown) -> bytes:
        number("pictures of a film over w", shown.guided.pictures, 1, STRIP_PICTURES, whole=True)
        rungs = sorted(strip(shown.guided), key=lambda each: each.w)
        drawn = [(each, await shown.draw(each)) for each in rungs]
        frames = [film_frame(each, pictures, f"w = {each.w[0]:g}") for each, pictures in drawn]
        return await asyncio.to_thread(film, frames, file_format)  # it takes seconds

    return sweep


def denoising_film(file_format: str) -> Callable[[Shown], Awaitable[bytes]]:
    """The denoising of the guided grid: the clean pictures as predicted after each evaluation."""

    async def denoising(shown: Shown) -> bytes:
        [frames] = await shown.engine.denoisings([shown.guided])
        total = shown.guided.evaluations
        caption = f"w = {shown.guided.w[0]:g}"
        pictures = [
            film_frame(shown.guided, frame.pixels, f"{caption}, step {frame.evaluations} of {total}")
            for frame in frames
            if frame.pixels is not None
        ]
        return await asyncio.to_thread(film, pictures, file_format)  # it takes seconds

    return denoising


async def command(shown: Shown) -> bytes:
    """The command line that draws the same."""
    return (command_line(shown.guided, shown.checkpoint) + "\n").encode()


async def program(shown: Shown) -> bytes:
    """Python that draws the same."""
    return python_code(shown.guided, shown.checkpoint).encode()


async def jupyter(shown: Shown) -> bytes:
    """A notebook that draws the same."""
    return notebook(
        shown.guided, shown.checkpoint, f"{shown.name} from {shown.titles[shown.guided.checkpoint]}"
    ).encode()


@dataclass(frozen=True)
class Kind:
    """A kind of file: its title in the menu, the ending of its name, its media type, and what makes it."""

    title: str
    ending: str
    media_type: str
    make: Callable[[Shown], Awaitable[bytes]]


KINDS = {
    "grid": Kind("the guided grid, PNG", ".png", "image/png", grid),
    "both": Kind("both grids, PNG", "-both.png", "image/png", both_grids),
    "strip": Kind("the strip over w, PNG", "-strip.png", "image/png", strip_sheet),
    "picture": Kind("one picture, PNG", "-picture.png", "image/png", picture),
    "denoising-webp": Kind("film of the denoising, WebP", "-denoising.webp", "image/webp", denoising_film("webp")),
    "denoising-gif": Kind("film of the denoising, GIF", "-denoising.gif", "image/gif", denoising_film("gif")),
    "sweep-webp": Kind("film over w, WebP", "-over-w.webp", "image/webp", sweep_film("webp")),
    "sweep-gif": Kind("film over w, GIF", "-over-w.gif", "image/gif", sweep_film("gif")),
    "command": Kind("command line", ".sh", "text/x-shellscript", command),
    "python": Kind("Python code", ".py", "text/x-python", program),
    "notebook": Kind("notebook", ".ipynb", "application/x-ipynb+json", jupyter),
}
"""Kinds of files by their names, in the order of the menu."""


def kinds() -> dict[str, str]:
    """Name → title of each kind, for the page."""
    return {name: kind.title for name, kind in KINDS.items()}


def public_place(info: ModelInfo) -> str:
    """Where a model is, for commands and code: its folder below the project, or its name on the Hub.

    Of a model elsewhere only the folder's name: the paths of the server are not shown.
    """
    where = Path(info.where)
    if where.is_relative_to(ROOT):
        return where.relative_to(ROOT).as_posix()
    return where.name if where.is_absolute() else info.where


class Saving:
    """The server function ``save``."""

    def __init__(self, models: ModelRegistry, requests: PageRequests) -> None:
        self._models = models
        self._requests = requests
        self._turns = Turns(MADE, QUEUE, OF_ADDRESS)

    async def save(self, payload: Any, address: str = "") -> dict[str, Any]:
        """{kind, request, reference, sample} → {name, media_type, content in base64}, or an error.

        address: of the client; those that wait take turns.
        """
        try:
            if not isinstance(payload, Mapping):
                raise ValueError("what is saved must be an object with kind, request and reference")
            kind = KINDS[choice("kind", payload.get("kind"), KINDS)]
            guided, reference = self._requests.pair(payload)
            engine = self._models.engine
            place = public_place(self._models.find(guided.checkpoint))
            titles = {each.checkpoint: self._models.find(each.checkpoint).title for each in (guided, reference)}
            shown = Shown(engine, guided, reference, place, titles, payload.get("sample") or 0)
            async with self._turns.turn(address):
                content = await kind.make(shown)
        except Full as full:
            return {"ok": False, "error": f"{full} files wait to be made. Please try again in a moment."}
        except (ValueError, RuntimeError) as error:
            return {"ok": False, "error": str(error)}
        name = shown.name + kind.ending
        return {"ok": True, "name": name, "media_type": kind.media_type, "content": encoded(content)}
