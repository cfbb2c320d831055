"""The folder of a model, here or fetched from the Hub, and which of its files may be read."""

import os
import re
from contextlib import AbstractContextManager
from pathlib import Path

from cfg_core.checks import one_line, shown
from cfg_core.files import check_regular
from cfg_core.hub_errors import explained

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"


REAL = "real.png"
"""A sheet of pictures of each class that the model was trained on (cfg_core.data.class_sheet)."""


PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one line that names it and the reason."""

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence))


def model_folder(where: str | Path) -> Path:
    """A folder as it is, or the one to which the files of ``owner/name`` were fetched from the Hub.

    Raises CheckpointError for what is neither.
    """
    if os.path.isdir(where):
        return Path(where)
    from huggingface_hub import snapshot_download

    repository = str(where)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or repository.startswith("."):
        raise CheckpointError(f"checkpoint {shown(repository)} is neither a folder nor a Hub name owner/name")
    with hub_access(repository):
        return Path(snapshot_download(repository, allow_patterns=[WEIGHTS, CONFIG, CARD, REAL]))


def hub_access(repository: str) -> AbstractContextManager[None]:
    """Turns whatever fails inside on the way to the Hub into a CheckpointError."""
    return explained(
        f"checkpoint {shown(repository)} is no folder here and could not be fetched from the Hub", CheckpointError
    )


def model_file(folder: Path, name: str) -> Path:
    """The file of that name in a model's folder. Raises CheckpointError for one that is not there or is no plain file,
    and for a link out of the folder; in the Hub's cache a link may lead anywhere in its repository."""
    path, home = folder / name, folder.resolve()
    if not os.path.lexists(path):
        pickles = [each.name for each in sorted(path.parent.glob("*")) if each.suffix in PICKLES]
        hint = f"; {pickles[0]} is a pickle, which is never read" if pickles else ""
        raise CheckpointError(f"checkpoint {folder} has no {name}{hint}")
    try:
        check_regular(path)
    except OSError as error:
        raise CheckpointError(f"checkpoint {folder}: {error}") from error
    if home.parent.name == "snapshots":
        home = home.parents[1]
    if home not in (target := path.resolve()).parents:
        raise CheckpointError(f"checkpoint {folder}: {name} must lie in that folder, got a link to {target}")
    return path
