"""Data sets by name: known ones, folders of images, any of the Hub's with images and labels, a synthetic one.

python -m cfg_core data pictures --size 32        # checked and counted, before anything is trained on it
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cfg_core.checks import choice, line, number, shown
from cfg_core.data.folders import folder_name, from_folder
from cfg_core.data.hub_datasets import download, hub_files
from cfg_core.data.parquet import from_parquet
from cfg_core.files import LONGEST_FILE_NAME

SPLITS = ("train", "test")


@dataclass(frozen=True)
class DataSet:
    """Labelled images in memory: images (N, C, S, S) uint8, labels (N,) int64; classes names the labels.

    name: as it may be published; for a folder its name, not its path. mirror: whether a mirrored image is as
    likely as the image, so that training may flip it. Raises ValueError for names as ``checks.line`` does.
    """

    name: str
    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    licence: str
    mirror: bool

    def __post_init__(self) -> None:
        line("data", self.name, LONGEST_FILE_NAME)
        for name in self.classes:
            line("the name of a class", name)

    @property
    def fingerprint(self) -> str:
        """Counts and a hash of images, labels, class names and ``mirror``; where they are stored does not count."""
        digest = hashlib.sha256(repr((self.classes, self.mirror)).encode())
        for part in (self.images, self.labels):
            digest.update(part.numpy().tobytes())
        return f"{len(self.labels):,} pictures in {len(self.classes)} classes ({digest.hexdigest()[:12]})"


@dataclass(frozen=True)
class Source:
    """A known data set: where it is on the Hub (repository, folder), and what its files lack."""

    repository: str
    folder: str
    classes: tuple[str, ...]
    licence: str
    mirror: bool


SOURCES: dict[str, Source] = {
    "fashion_mnist": Source(
        "zalando-datasets/fashion_mnist",
        "fashion_mnist",
        ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"),
        "MIT (Zalando Research)",
        mirror=False,  # its shoes all point to the left
    ),
    "cifar10": Source(
        "uoft-cs/cifar10",
        "plain_text",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        "unknown (Krizhevsky 2009)",
        mirror=True,
    ),
}


NAMES = (*SOURCES, "synthetic")


DATA_HELP = (
    f"one of {', '.join(NAMES)}, a folder with one folder of pictures a class, or a data set on the Hub, owner/name"
)
"""What --data takes."""


def load_dataset(
    name: str,
    split: str = "train",
    root: str | Path | None = None,
    size: int | None = None,
    channels: int | None = None,
) -> DataSet:
    """A data set by name, its images cropped and resized to ``size`` where that is given.

    A known one is looked for in ``root`` (or the folder named by GUIDANCE_LAB_DATA, or ``data``) as
    ``<name>/<folder>/<split>-00000-of-00001.parquet``, then on the Hub. ``owner/name`` is one on the Hub, and
    ``owner/name:COLUMN`` names the column of the labels. channels: 1 or 3; None: what the images have. Raises
    ValueError for an unknown name or split and for images that cannot be used, OSError where they cannot be fetched.
    """
    choice("split", split, SPLITS)
    if size is not None:
        number("size", size, 4, 1024, whole=True)
    if name == "synthetic":
        return synthetic(split, size or SYNTHETIC_SIZE)
    if isinstance(name, str) and name in SOURCES:
        source = SOURCES[name]
        file = f"{source.folder}/{split}-00000-of-00001.parquet"
        local = Path(root or os.environ.get("GUIDANCE_LAB_DATA") or "data") / name / file
        path = local if os.path.exists(local) else download(source.repository, file, local)
        found = from_parquet([path], size, channels, classes=source.classes)
        return DataSet(name, found.images, found.labels, source.classes, source.licence, source.mirror)
    if isinstance(name, str) and os.path.isdir(name):
        own = line("data", folder_name(name), LONGEST_FILE_NAME)
        found = from_folder(Path(name), split, size, channels)
        return DataSet(own, found.images, found.labels, found.classes, "of whoever made the pictures", False)
    if isinstance(name, str) and (on_hub := re.fullmatch(r"(\w[\w.-]*/[\w.-]+)(?::(.+))?", name)):
        repository, label = on_hub.groups()
        files, divided = hub_files(repository, split)
        found = from_parquet(files, size, channels, label)
        found = found if divided else found.held_out(split == "test")
        return DataSet(name, found.images, found.labels, found.classes, f"see huggingface.co/{repository}", False)
    raise ValueError(f"data must be {DATA_HELP}, got {shown(name)}")


def load_splits(name: str, root: str | Path | None = None, size: int | None = None) -> tuple[DataSet, DataSet]:
    """The training and the test images, both of one size and kind. Raises as ``load_dataset`` does."""
    training = load_dataset(name, "train", root, size)
    test = load_dataset(name, "test", root, training.images.shape[2], training.images.shape[1])
    if test.classes != training.classes:
        theirs, ours = ", ".join(test.classes), ", ".join(training.classes)
        raise ValueError(f"data: the test pictures must have the classes {ours}, got {theirs}")
    return training, test


SYNTHETIC_SIZE = 16


def synthetic(split: str = "train", size: int = SYNTHETIC_SIZE) -> DataSet:
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
