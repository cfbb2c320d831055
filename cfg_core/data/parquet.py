"""Labelled images from parquet files in the format of the Hub."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from cfg_core.checks import parse_json, shown
from cfg_core.data.image_files import LabelledImages, stacked


def from_parquet(
    files: Sequence[Path],
    size: int | None = None,
    channels: int | None = None,
    label: str | None = None,
    classes: Sequence[str] | None = None,
) -> LabelledImages:
    """The images of parquet files with an image and a label column; size and channels as ``stacked`` takes them.

    label: the name of the label column, where there are several. classes: the names of the labels, where the files
    lack them, or others are wanted. Raises ValueError for what cannot be used.
    """
    try:
        table = pa.concat_tables([pq.read_table(path) for path in files])
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"data: {files[0]} is not a parquet file that can be read ({error})") from error
    features = _features(table.schema)
    image, column = _image_column(table.schema), _label_column(table.schema, features, label)
    labels, names = _labels(table[column].to_pylist(), classes or features.get(column, {}).get("names"))
    return LabelledImages(stacked(_rows(table[image], files[0]), size, channels), labels, names)


def _features(schema: pa.Schema) -> dict[str, Any]:
    """The columns' features, as the Hub's libraries describe them in the schema."""
    raw = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        found = parse_json("the description of the columns", raw.decode())
    except ValueError as error:
        raise ValueError(f"data must be in the Hub's format: {error}") from error
    for part in ("info", "features"):
        found = found.get(part) if isinstance(found, dict) else None
    every = found if isinstance(found, dict) else {}
    return {name: feature for name, feature in every.items() if isinstance(feature, dict)}


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
    given = "none is chosen; write owner/name:COLUMN" if asked is None else f"got {asked}"
    raise ValueError(f"data: the label column must be one of {', '.join(named) or 'none there is'}, {given}")


def _labels(values: list[Any], names: Sequence[str] | None) -> tuple[Tensor, tuple[str, ...]]:
    if any(value is None for value in values):
        raise ValueError(f"data must have a label for every picture, {values.count(None):,} have none")
    if names:
        if not isinstance(names, list | tuple):
            raise ValueError(f"data: the names of the labels must be a list, got {shown(names)}")
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
