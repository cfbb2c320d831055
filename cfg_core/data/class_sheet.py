"""A small sheet of a data set's pictures, some of each class, to ship beside a model."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin

from cfg_core.checks import line, number
from cfg_core.data.datasets import DataSet
from cfg_core.files import check_regular

METADATA = "guidance-lab-pictures"
"""Key of the PNG text chunk with what is known of the pictures, as JSON."""


MAX_PIXELS = 2**24
"""Of a sheet that is read."""


@dataclass(frozen=True, eq=False)
class ClassSheet:
    """data, licence: of the data set. pictures: (class, column, S, S, C) uint8."""

    data: str
    licence: str
    pictures: np.ndarray


def save_class_sheet(path: Path, dataset: DataSet, name: str, most: int = 16, seed: int = 0) -> None:
    """A row for each class, of pictures that the seed picks, as many as the smallest class has, at most so many.

    name: of the data set, as it may be published. No margins: the picture of class c in column n begins at
    (n · size, c · size). Raises OSError.
    """
    of_class = [(dataset.labels == label).nonzero().squeeze(1).numpy() for label in range(len(dataset.classes))]
    columns = min(most, *map(len, of_class))
    random = np.random.default_rng(seed)
    picked = torch.from_numpy(np.stack([random.choice(rows, columns, replace=False) for rows in of_class]))
    rows, size = len(picked), dataset.images.shape[-1]
    pictures = dataset.images[picked.flatten()].permute(0, 2, 3, 1).numpy().reshape(rows, columns, size, size, -1)
    sheet = pictures.swapaxes(1, 2).reshape(rows * size, columns * size, -1)
    about = {"data": name, "licence": dataset.licence, "classes": dataset.classes, "columns": columns, "size": size}
    metadata = PngImagePlugin.PngInfo()
    metadata.add_itxt(METADATA, json.dumps(about, ensure_ascii=False))
    grey = sheet.shape[2] == 1
    Image.fromarray(sheet[..., 0] if grey else sheet).save(path, "PNG", pnginfo=metadata, optimize=True)


def read_about(path: Path) -> dict[str, Any]:
    """What is known of the pictures of a sheet: data, licence, classes, columns and size. Raises ValueError where the
    file is none."""
    try:
        with Image.open(path) as picture:
            about: dict[str, Any] = json.loads(picture.info[METADATA])
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a sheet of pictures of each class") from error
    return about


def read_class_sheet(path: Path, classes: tuple[str, ...], shape: tuple[int, ...]) -> ClassSheet:
    """The pictures of a sheet. Raises ValueError where the file is none of these classes and of pictures (C, S, S)."""
    check_regular(path)
    about, (channels, size, _) = read_about(path), shape
    if not isinstance(about, dict) or about.get("classes") != list(classes):
        raise ValueError(f"{path} must be a sheet of {', '.join(classes)}, got another")
    columns = number("columns", about.get("columns"), 1, MAX_PIXELS // (size * size * len(classes)), whole=True)
    with Image.open(path) as picture:
        expected = (columns * size, len(classes) * size), "L" if channels == 1 else "RGB"
        if (picture.size, picture.mode) != expected:
            raise ValueError(f"{path} must be {expected}, got {picture.size} {picture.mode}")
        pixels = np.asarray(picture)
    pictures = pixels.reshape(len(classes), size, columns, size, channels).swapaxes(1, 2)
    return ClassSheet(line("data", about.get("data"), 1000), line("licence", about.get("licence"), 1000), pictures)
