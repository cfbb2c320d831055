"""Data sets by name: parquet in the Hub's layout, from a local folder or the Hub itself, and a tiny synthetic set."""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor

from cfg_core.checks import choice

SPLITS = ("train", "test")


@dataclass(frozen=True)
class DataSet:
    """Labelled pictures in memory: images (N, C, S, S) uint8, labels (N,) int64; classes names the labels."""

    name: str
    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    licence: str
    mirror: bool
    """Whether a mirrored picture is as likely as the picture, so that training may flip it."""


@dataclass(frozen=True)
class Source:
    """Where a data set lies on the Hub (repository, folder, column of the pictures) and what must be known about it."""

    repository: str
    folder: str
    column: str
    classes: tuple[str, ...]
    licence: str
    mirror: bool


SOURCES: dict[str, Source] = {
    "fashion_mnist": Source(
        "zalando-datasets/fashion_mnist",
        "fashion_mnist",
        "image",
        ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"),
        "MIT (Zalando Research)",
        mirror=False,  # its shoes all point to the left
    ),
    "cifar10": Source(
        "uoft-cs/cifar10",
        "plain_text",
        "img",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        "unknown (Krizhevsky 2009)",
        mirror=True,
    ),
}

NAMES = (*SOURCES, "synthetic")


def load(name: str, split: str = "train", root: str | Path | None = None) -> DataSet:
    """A data set by name.

    Looked for in ``root`` (or the folder named by GUIDANCE_LAB_DATA, or ``data``) as
    ``<name>/<folder>/<split>-00000-of-00001.parquet``, then on the Hub. Raises ValueError for an unknown name or split
    and for a file that is not what it should be, OSError where neither place has it.
    """
    choice("data", name, NAMES)
    choice("split", split, SPLITS)
    if name == "synthetic":
        return synthetic(split)
    source = SOURCES[name]
    file = f"{source.folder}/{split}-00000-of-00001.parquet"
    local = Path(root or os.environ.get("GUIDANCE_LAB_DATA") or "data") / name / file
    return _read(name, source, local if local.exists() else _download(source.repository, file, local))


def _download(repository: str, file: str, looked: Path) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(repository, file, repo_type="dataset"))
    except (HfHubHTTPError, OSError) as error:
        raise OSError(f"data: no file {looked}, and {repository} could not be had from the Hub ({error})") from error


def _read(name: str, source: Source, path: Path) -> DataSet:
    try:
        table = pq.read_table(path, columns=[source.column, "label"])
        pictures = [_decode(row["bytes"]) for row in table[source.column].to_pylist()]
        images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"data: {path} is not the parquet file of {name} that was expected ({error})") from error
    labels = torch.tensor(table["label"].to_pylist(), dtype=torch.int64)
    return DataSet(name, images, labels, source.classes, source.licence, source.mirror)


def _decode(encoded: bytes) -> np.ndarray:
    pixels = np.asarray(Image.open(io.BytesIO(encoded)))
    return pixels if pixels.ndim == 3 else pixels[..., None]  # (S, S, C)


def synthetic(split: str = "train", size: int = 16) -> DataSet:
    """Four shapes (disc, square, cross, stripes) of random place, size and brightness, drawn by code: 2,048 pictures.

    For tests and first tries; the same pictures on every machine.
    """
    count = 2048 if split == "train" else 512
    random = np.random.default_rng(SPLITS.index(split))
    labels = np.arange(count) % 4
    centre = random.uniform(0.35, 0.65, (2, count, 1, 1)) * size
    radius = random.uniform(0.2, 0.35, (count, 1, 1)) * size
    brightness = random.uniform(0.5, 1.0, (count, 1, 1))
    y, x = np.mgrid[:size, :size] + 0.5
    dy, dx = np.abs(y - centre[0]), np.abs(x - centre[1])
    inside = np.maximum(dx, dy) < radius
    shapes = [
        dx**2 + dy**2 < radius**2,
        inside,
        inside & (np.minimum(dx, dy) < radius / 3),
        inside & (np.floor(y).astype(int) % 4 < 2),
    ]
    drawn = np.select([labels[:, None, None] == label for label in range(4)], shapes)
    images = torch.from_numpy((255 * drawn * brightness).astype(np.uint8))[:, None]
    return DataSet(
        "synthetic", images, torch.from_numpy(labels), ("disc", "square", "cross", "stripes"), "CC0-1.0", False
    )


def mirrored(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Pictures (N, C, S, S), each of them mirrored with that probability."""
    chosen = torch.rand(len(images), generator=generator) < probability
    return torch.where(chosen[:, None, None, None], images.flip(3), images)


def to_unit(images: Tensor) -> Tensor:
    """uint8 pictures to float32 in [−1, 1]."""
    return images.float() / 127.5 - 1


def to_bytes(x: Tensor) -> Tensor:
    """Samples in [−1, 1] to uint8 pictures, clipped and rounded; the inverse of ``to_unit``."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
