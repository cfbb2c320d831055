"""A film of a grid: its denoising, or its change over w, as an animated WebP or GIF with a caption in each frame."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cfg_core.checks import choice
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import INK, PAPER, across

FORMATS = {"webp": {"lossless": True, "method": 3}, "gif": {"disposal": 2, "optimize": False}}
"""Format → arguments of Pillow's ``save``."""

FRAME_MS, LAST_FRAME_MS = 180, 1500
"""Milliseconds of a frame, and of the last one, before the film begins again."""

SIDE = 448
"""Pixels that the longer side of the grid has at most, unless its pictures have more."""


def film_frame(request: GridRequest, pictures: np.ndarray, caption: str) -> Image.Image:
    """One frame: a caption, and below it the pictures of the first w, laid out as on the page.

    pictures: (w, class, sample, S, S, C) uint8.
    """
    _, classes, samples, size, _, channels = pictures.shape
    width = across(request)
    rows = classes * -(-samples // width)
    grid = np.zeros((rows * (size + 1) - 1, width * (size + 1) - 1, channels), np.uint8)
    for n, picture in enumerate(pictures[0].reshape(-1, size, size, channels)):
        label, sample = divmod(n, samples)
        top, left = (label * -(-samples // width) + sample // width) * (size + 1), sample % width * (size + 1)
        grid[top : top + size, left : left + size] = picture
    tile = Image.fromarray(grid if channels == 3 else grid[..., 0]).convert("RGB")
    scale = max(1, SIDE // max(tile.size))
    tile = tile.resize((tile.width * scale, tile.height * scale), Image.Resampling.NEAREST)
    frame = Image.new("RGB", (tile.width, tile.height + 28), PAPER)
    frame.paste(tile, (0, 28))
    ImageDraw.Draw(frame).text((frame.width / 2, 19), caption, INK, ImageFont.load_default(15), anchor="ms")
    return frame


def film(frames: Sequence[Image.Image], file_format: str) -> bytes:
    """The frames as a film that loops. file_format: webp or gif. Raises ValueError for another."""
    choice("file_format", file_format, FORMATS)
    file, (first, *others) = BytesIO(), frames
    first.save(
        file,
        file_format.upper(),
        save_all=True,
        append_images=others,
        duration=[FRAME_MS] * len(others) + [LAST_FRAME_MS],
        loop=0,
        **FORMATS[file_format],
    )
    return file.getvalue()
