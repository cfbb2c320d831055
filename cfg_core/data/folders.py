"""Labelled images from a folder with one folder for each class, in the order of their names."""

import os
from pathlib import Path

import torch
from PIL import Image

from cfg_core.checks import line
from cfg_core.data.image_files import LabelledImages, stacked

FOR_TESTS = ("test", "val", "valid", "validation")
"""Names of the folder of test images beside ``train``; where there are several, the first of these is used."""


def folder_name(folder: str | Path) -> str:
    """The folder's name without its path: "pics" of "/home/a/pics/", and of "." there."""
    return os.path.basename(os.path.abspath(folder))


def from_folder(folder: Path, split: str, size: int | None = None, channels: int | None = None) -> LabelledImages:
    """The images in ``folder/CLASS/``, or in ``folder/SPLIT/CLASS/`` where it is divided.

    split: "train" or "test". size, channels: as ``stacked`` takes them. Raises ValueError for what cannot be used.
    """
    divided = _divided(folder)
    root = divided[split] if divided else folder
    classes = _folders_in(root)
    if not classes:
        raise ValueError(f"data: {root} must have one folder of pictures a class, it has no folders")
    names = tuple(line("the name of a class", each.name) for each in classes)
    files = [_images_in(each) for each in classes]
    labels = torch.repeat_interleave(torch.arange(len(classes)), torch.tensor([len(each) for each in files]))
    images = stacked(((str(path), path) for each in files for path in each), size, channels)
    found = LabelledImages(images, labels, names)
    return found if divided else found.held_out(split == "test")


def _divided(folder: Path) -> dict[str, Path]:
    """The folders of the training and of the test images, or nothing where there is one folder a class.

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


def _images_in(folder: Path) -> list[Path]:
    """The image files of a class, at any depth, in the order of their paths.

    Hidden files and folders are left out. Linked folders are followed, each once, after those that are not links.
    """
    endings, found, seen, places = Image.registered_extensions(), [], set(), [folder]
    for place in places:  # grows by the linked folders that are met
        for root, folders, files in os.walk(place, onerror=_raise):
            if (real := os.path.realpath(root)) in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = [name for name in folders if name[0] != "."]
            paths = [Path(root, name) for name in files if name[0] != "."]
            found += [path for path in paths if path.suffix.lower() in endings]
            places += [Path(root, name) for name in sorted(folders) if os.path.islink(os.path.join(root, name))]
    if not found:
        raise ValueError(f"data: the class {folder.name} must have at least one picture, {folder} has none")
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error
