"""A labelled sheet of a grid as PNG, its request in the metadata."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from cfg_core.grids.request import GridRequest

METADATA = "guidance-lab"
"""Key of the PNG text chunk with the request's JSON."""


INK, PAPER = (28, 27, 25), (251, 250, 247)


def draw_sheet(request: GridRequest, pictures: np.ndarray, classes: Sequence[str], scale: int = 3) -> Image.Image:
    """A labelled sheet: a column for each w, a row for each sample, the samples of a class together.

    pictures: (w, class, sample, S, S, C) uint8, as ``pixels`` gives them. scale: of samples on the sheet.
    """
    columns, _, _, size, _, channels = pictures.shape
    rows = pictures.reshape(columns, -1, size, size, channels)
    pitch, margin = size * scale + 2, 16
    font = ImageFont.load_default(15)
    names = [classes[label] for label in request.classes]
    left, top = margin + 12 + int(max(font.getlength(name) for name in names)), margin + 26
    sheet = Image.new("RGB", (left + columns * pitch + margin, top + rows.shape[1] * pitch + margin), PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, w in enumerate(request.w):
        pen.text((left + (column + 0.5) * pitch, top - 8), f"w = {w:g}", INK, font, anchor="ms")
        for row, picture in enumerate(rows[column]):
            shown = picture if channels == 3 else picture[..., 0]
            tile = Image.fromarray(shown).convert("RGB").resize((size * scale, size * scale), Image.Resampling.NEAREST)
            sheet.paste(tile, (left + column * pitch, top + row * pitch))
    for block, name in enumerate(names):
        middle = top + (block + 0.5) * request.samples * pitch
        pen.text((left - 12, middle), name, INK, font, anchor="rm")
    return sheet


def save_sheet(sheet: Image.Image, path: Path, request: GridRequest) -> None:
    """Save as PNG with the request inside. Raises OSError where that place cannot be written."""
    metadata = PngImagePlugin.PngInfo()
    metadata.add_text(METADATA, request.to_json())
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, "PNG", pnginfo=metadata)


def read_request(path: Path) -> GridRequest:
    """The request inside a saved sheet. Raises ValueError where there is none."""
    with Image.open(path) as picture:
        text = picture.info.get(METADATA)
    if text is None:
        raise ValueError(f"{path} carries no request")
    return GridRequest.from_json(text)
