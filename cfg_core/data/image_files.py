"""Labelled pictures from files of any size and kind: one folder a class, or parquet files as the Hub has them.

All of them end up as uint8 arrays of one size, grey where every picture is, RGB otherwise. Raises ValueError, in one
sentence that begins with "data", for whatever cannot be used.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image, ImageOps
from torch import Tensor

from cfg_core.checks import shown

HELD_OUT = 10
"""Where nobody has set pictures aside for tests, every tenth of a class is."""


FOR_TESTS = ("test", "val", "valid", "validation")
"""What the folder beside ``train`` may be called; where there are several, the first of these is used."""


GREY = ("1", "L", "LA")
"""Pillow's modes of pictures without colour, of 8 bits at most."""


@dataclass(frozen=True)
class Labelled:
    """images (N, C, S, S) uint8, labels (N,) int64, the names of the labels."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def held_out(self, test: bool) -> "Labelled":
        """Every tenth picture of each class, or all the others."""
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
        return Labelled(self.images[chosen], self.labels[chosen], self.classes)


# ---- one folder a class --------------------------------------------------------------------------------------------


def from_folder(folder: Path, split: str, size: int | None = None, channels: int | None = None) -> Labelled:
    """The pictures in ``folder/CLASS/``, or in ``folder/SPLIT/CLASS/`` where it is divided.

    size: every picture is cropped to its middle square and resized to it; None: all must already be alike.
    channels: 1 or 3; None: what the pictures have.
    """
    divided = _divided(folder)
    root = divided[split] if divided else folder
    classes = _folders_in(root)
    if not classes:
        raise ValueError(f"data: {root} must have one folder of pictures a class, it has no folders")
    files = [_pictures_in(each) for each in classes]
    labels = torch.repeat_interleave(torch.arange(len(classes)), torch.tensor([len(each) for each in files]))
    images = _stacked(((str(path), path) for each in files for path in each), size, channels)
    found = Labelled(images, labels, tuple(each.name for each in classes))
    return found if divided else found.held_out(split == "test")


def _divided(folder: Path) -> dict[str, Path]:
    """The folders of the training and of the test pictures, or nothing where there is one folder a class.

    Raises ValueError where only one of the two is there. A class may be called "train" if there are others beside it.
    """
    inside = _folders_in(folder)
    parts = {each.name.lower(): each for each in inside if each.name.lower() in ("train", *FOR_TESTS)}
    for_tests = next((parts[name] for name in FOR_TESTS if name in parts), None)
    if for_tests and "train" in parts:
        return {"train": parts["train"], "test": for_tests}
    if parts and (len(parts) == len(inside) or any(map(_folders_in, parts.values()))):
        raise ValueError(
            f"data: {folder} must have train and one of {', '.join(FOR_TESTS)}, or one folder of pictures a class, got "
            f"only {', '.join(parts)}"
        )
    return {}


def _folders_in(folder: Path) -> list[Path]:
    return [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]


def _pictures_in(folder: Path) -> list[Path]:
    endings = Image.registered_extensions()
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in endings and path.name[0] != "."]
    if not files:
        raise ValueError(f"data: the class {folder.name} must have at least one picture, {folder} has none")
    return files


# ---- parquet -------------------------------------------------------------------------------------------------------


def from_parquet(
    files: Sequence[Path],
    size: int | None = None,
    channels: int | None = None,
    label: str | None = None,
    classes: Sequence[str] | None = None,
) -> Labelled:
    """The pictures of parquet files with an image and a label column; size and channels as of ``from_folder``.

    label: the name of the label column, where there are several. classes: the names of the labels, where the files do
    not say them, or others are wanted.
    """
    try:
        table = pa.concat_tables([pq.read_table(path) for path in files])
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"data: {files[0]} is not a parquet file that can be read ({error})") from error
    features = _features(table.schema)
    image, column = _image_column(table.schema), _label_column(table.schema, features, label)
    labels, names = _labels(table[column].to_pylist(), classes or features.get(column, {}).get("names"))
    return Labelled(_stacked(_rows(table[image], files[0]), size, channels), labels, names)


def _features(schema: pa.Schema) -> dict[str, Any]:
    """What the Hub's libraries say of the columns."""
    raw = (schema.metadata or {}).get(b"huggingface", b"{}")
    return json.loads(raw).get("info", {}).get("features", {})


def _image_column(schema: pa.Schema) -> str:
    for field in schema:
        if pa.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0:
            return field.name
    raise ValueError(f"data must have a column of pictures, got the columns {', '.join(schema.names)}")


def _label_column(schema: pa.Schema, features: dict[str, Any], asked: str | None) -> str:
    found = [f.name for f in schema if pa.types.is_integer(f.type) or pa.types.is_string(f.type)]
    named = [name for name in found if features.get(name, {}).get("_type") == "ClassLabel"] or found
    if asked in found:
        return str(asked)
    if asked is None and ("label" in named or len(named) == 1):
        return "label" if "label" in named else named[0]
    given = "which one is not said; write owner/name:COLUMN" if asked is None else f"got {asked}"
    raise ValueError(f"data: the label column must be one of {', '.join(named) or 'none there is'}, {given}")


def _labels(values: list[Any], names: Sequence[str] | None) -> tuple[Tensor, tuple[str, ...]]:
    if any(value is None for value in values):
        raise ValueError(f"data must have a label for every picture, {values.count(None):,} have none")
    if names:
        if wrong := [value for value in values if not isinstance(value, int) or not 0 <= value < len(names)]:
            raise ValueError(f"data: labels must be whole numbers from 0 to {len(names) - 1}, got {shown(wrong[0])}")
        return torch.tensor(values, dtype=torch.int64), tuple(names)
    kinds = sorted(set(values))
    place = {kind: n for n, kind in enumerate(kinds)}
    return torch.tensor([place[value] for value in values], dtype=torch.int64), tuple(map(str, kinds))


def _rows(column: pa.ChunkedArray, file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    for n, cell in enumerate(column):
        content = cell["bytes"].as_py()
        if content is None:
            raise ValueError(f"data must hold its pictures, row {n} of {file} has none")
        yield f"the picture in row {n} of {file}", pa.BufferReader(content)


# ---- alike ---------------------------------------------------------------------------------------------------------


def _stacked(named: Iterable[tuple[str, Path | IO[bytes]]], size: int | None, channels: int | None) -> Tensor:
    """(name, file) of each picture to (N, C, S, S) uint8."""
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
    colour = any(array.ndim == 3 for array in arrays)
    alike = [np.repeat(a[..., None], 3, 2) if colour and a.ndim == 2 else a for a in arrays]
    stacked = torch.from_numpy(np.stack(alike))
    return stacked.permute(0, 3, 1, 2).contiguous() if colour else stacked[:, None]


def _opened(name: str, file: Path | IO[bytes]) -> Image.Image:
    try:
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
        shown = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
    picture = picture.convert("L" if grey else "RGB")
    if size is not None and picture.size != (size, size):
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    return picture
