"""Image files of any size and kind to one uint8 array: grey where every image is, RGB otherwise.

Raises ValueError, in one sentence that begins with "data", for whatever cannot be used.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from cfg_core.files import check_regular

HELD_OUT = 10
"""Where no images are set aside for tests, every tenth of a class is."""


GREY = ("1", "L", "LA")
"""Pillow's modes of images without colour, of 8 bits at most."""


@dataclass(frozen=True)
class LabelledImages:
    """images (N, C, S, S) uint8, labels (N,) int64, the names of the labels."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def held_out(self, test: bool) -> "LabelledImages":
        """Every tenth image of each class, or all the others."""
        place = torch.zeros_like(self.labels)  # of a picture within its class
        for label in self.labels.unique():
            mine = self.labels == label
            place[mine] = torch.arange(int(mine.sum()))
        chosen = (place % HELD_OUT == HELD_OUT - 1) == test
        if not chosen.any():
            raise ValueError(
                f"data must have at least {HELD_OUT} pictures of a class, or some set aside for tests, got "
                f"{int(self.labels.bincount().max())}"
            )
        return LabelledImages(self.images[chosen], self.labels[chosen], self.classes)


def stacked(named: Iterable[tuple[str, Path | IO[bytes]]], size: int | None, channels: int | None) -> Tensor:
    """(name, file) of each image to (N, C, S, S) uint8, all of them alike.

    size: every image is cropped to its middle square and resized to it; None: all must already be square and of one
    size. channels: 1 or 3; None: what the images have.
    """
    arrays: list[np.ndarray] = []
    first = ""
    for name, file in named:
        array = np.asarray(_fitted(_opened(name, file), size, channels))
        height, width = array.shape[:2]
        if height != width:
            raise ValueError(
                f"data: {name} must be square, or --size be given to crop and resize all, got {width}×{height}"
            )
        first = first or name
        if arrays and len(arrays[0]) != height:
            raise ValueError(
                f"data must have pictures of one size, or --size be given to resize all, got {len(arrays[0])}×"
                f"{len(arrays[0])} in {first} and {width}×{height} in {name}"
            )
        arrays.append(array)
    if not arrays:
        raise ValueError("data must have at least one picture, got none")
    colour = any(array.ndim == 3 for array in arrays)
    alike = [np.repeat(a[..., None], 3, 2) if colour and a.ndim == 2 else a for a in arrays]
    stacked = torch.from_numpy(np.stack(alike))
    return stacked.permute(0, 3, 1, 2).contiguous() if colour else stacked[:, None]


def _opened(name: str, file: Path | IO[bytes]) -> Image.Image:
    try:
        if isinstance(file, Path):
            check_regular(file)
        picture = Image.open(file)
        picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"data: {name} is not a picture that can be read ({error})") from error
    return _eight_bits(name, ImageOps.exif_transpose(picture) or picture)


def _eight_bits(name: str, picture: Image.Image) -> Image.Image:
    """Grey of 16 bits, which Pillow's own conversion cuts off at 255, scaled to 8; any other picture as it is."""
    if picture.mode == "F":
        raise ValueError(f"data: {name} must have grey values of 8 or 16 bits, got floating-point numbers")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError(f"data: {name} must have grey values from 0 to 65535, got {values.min()} to {values.max()}")
    return Image.fromarray((values / 257).round().astype(np.uint8))


def _fitted(picture: Image.Image, size: int | None, channels: int | None) -> Image.Image:
    """Grey or RGB; what is transparent becomes white."""
    grey = picture.mode in GREY if channels is None else channels == 1
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque)
    picture = picture.convert("L" if grey else "RGB")
    if size is not None and picture.size != (size, size):
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    return picture
