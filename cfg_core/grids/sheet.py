"""A labelled sheet of one grid or of several side by side as PNG, their requests in the metadata."""

import json
from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from cfg_core.checks import parse_json
from cfg_core.files import check_regular
from cfg_core.grids.request import GridRequest

METADATA = "guidance-lab"
"""Key of the PNG text chunk with the request's JSON, or a list of several."""


INK, PAPER = (28, 27, 25), (251, 250, 247)


def across(request: GridRequest) -> int:
    """Pictures side by side under one w: of one class a square, of several a row of each, of many w a column each."""
    if len(request.w) > 2:
        return 1
    return request.samples if len(request.classes) > 1 else ceil(sqrt(request.samples))


def draw_sheet(request: GridRequest, pictures: np.ndarray, classes: Sequence[str], scale: int = 3) -> Image.Image:
    """A labelled sheet: a block of columns for each w, the samples of a class together.

    pictures: (w, class, sample, S, S, C) uint8, as ``pixels`` gives them. scale: of samples on the sheet.
    """
    blocks, _, samples, size, _, channels = pictures.shape
    width = across(request)
    height = ceil(samples / width)
    pitch, margin, gap = size * scale + 2, 16, 10 if width > 1 else 0
    font = ImageFont.load_default(15)
    names = [classes[label] for label in request.classes]
    left, top = margin + 12 + int(max(font.getlength(name) for name in names)), margin + 26
    right = left + blocks * width * pitch + (blocks - 1) * gap
    sheet = Image.new("RGB", (right + margin, top + len(names) * height * pitch + margin), PAPER)
    pen = ImageDraw.Draw(sheet)
    for block, w in enumerate(request.w):
        start = left + block * (width * pitch + gap)
        pen.text((start + 0.5 * width * pitch, top - 8), f"w = {w:g}", INK, font, anchor="ms")
        for n, picture in enumerate(pictures[block].reshape(-1, size, size, channels)):
            label, sample = divmod(n, samples)
            row, column = label * height + sample // width, sample % width
            shown = picture if channels == 3 else picture[..., 0]
            tile = Image.fromarray(shown).convert("RGB").resize((size * scale, size * scale), Image.Resampling.NEAREST)
            sheet.paste(tile, (start + column * pitch, top + row * pitch))
    for label, name in enumerate(names):
        pen.text((left - 12, top + (label + 0.5) * height * pitch), name, INK, font, anchor="rm")
    return sheet


def beside(sheets: Sequence[Image.Image], titles: Sequence[str]) -> Image.Image:
    """Several sheets as one, each under its title."""
    font = ImageFont.load_default(15)
    height = 30 + max(sheet.height for sheet in sheets)
    widths = [max(sheet.width, ceil(font.getlength(title)) + 32) for sheet, title in zip(sheets, titles, strict=True)]
    whole = Image.new("RGB", (sum(widths), height), PAPER)
    pen, left = ImageDraw.Draw(whole), 0
    for sheet, title, width in zip(sheets, titles, widths, strict=True):
        pen.text((left + width / 2, 20), title, INK, font, anchor="ms")
        whole.paste(sheet, (left + (width - sheet.width) // 2, 30))
        left += width
    return whole


def draw_sheets(
    requests: Sequence[GridRequest],
    pictures: Sequence[np.ndarray],
    classes: Sequence[str],
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Image.Image:
    """One sheet, or several side by side under what each is drawn with. titles: of the models, by their hashes."""
    sheets = [draw_sheet(request, drawn, classes) for request, drawn in zip(requests, pictures, strict=True)]
    several = len({request.checkpoint for request in requests}) > 1
    models = [titles.get(request.checkpoint, request.checkpoint) if several else "" for request in requests]
    return sheets[0] if len(sheets) == 1 else beside(sheets, list(map(_title, requests, models)))


def _title(request: GridRequest, model: str) -> str:
    """What a sheet is drawn with. model: "" where all are of the same."""
    parts = [*filter(None, [model]), request.rule, request.sampler, f"{request.steps} steps"]
    return ", ".join(parts + [f"{name} {value:g}" for name, value in request.changed.items()])


def save_sheet(sheet: Image.Image, file: Path | BinaryIO, *requests: GridRequest) -> None:
    """Save as PNG with the requests inside. Raises OSError where that place cannot be written."""
    metadata = PngImagePlugin.PngInfo()
    texts = [request.to_json() for request in requests]
    metadata.add_text(METADATA, texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    if isinstance(file, Path):
        file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file, "PNG", pnginfo=metadata)


def read_requests(path: Path) -> tuple[GridRequest, ...]:
    """The requests inside a saved sheet. Raises ValueError where there is none, or no picture."""
    try:
        check_regular(path)
        with Image.open(path) as picture:
            text = picture.info.get(METADATA)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a picture that can be read ({error})") from error
    if not isinstance(text, str) or text == "[]":
        raise ValueError(f"{path} carries no request")
    if not text.startswith("["):
        return (GridRequest.from_json(text),)
    several = parse_json(f"what {path} carries", text)
    return tuple(GridRequest.from_json(json.dumps(each)) for each in several)
