"""Models by name: what is known of one before its weights are loaded."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cfg_core.checkpoints.diffusers_models import HUB_NAME, find_pipeline, read_pipeline_config
from cfg_core.checkpoints.format import CheckpointConfig, ModelDescription, read_config
from cfg_core.checkpoints.model_folder import CheckpointError
from cfg_core.checkpoints.weaker_siblings import SUFFIX
from cfg_core.checks import line
from cfg_core.files import LONGEST_FILE_NAME


@dataclass(frozen=True)
class ModelInfo:
    """A model that may be chosen. name: as URLs and programs have it. where: its folder, an absolute path, or its name
    on the Hub. hash: of its weights."""

    name: str
    where: str
    hash: str
    config: ModelDescription

    @property
    def title(self) -> str:
        """How people call it."""
        return self.config.title or self.name


def describe_model(where: str | Path) -> ModelInfo:
    """What is known of a model before it is loaded. Raises CheckpointError as ``load_checkpoint`` does."""
    place = os.path.abspath(where) if os.path.isdir(where) else str(where)  # "FOLDER/" and "." have a name too
    name = _name(place)
    try:
        line("the name of a checkpoint", name, LONGEST_FILE_NAME)
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    if folder := find_pipeline(place):
        config, digest = read_pipeline_config(folder, name)
        return ModelInfo(name, str(folder), digest, config)
    own, digest = read_config(place, CheckpointConfig.from_json)
    return ModelInfo(name, place, digest, own)


def _name(place: str) -> str:
    """The last part of a folder, or of a Hub name with its revision; the run's, where it is the folder of a run."""
    path, *revision = place.split("@", 1) if HUB_NAME.fullmatch(place) else [place]
    last = Path(path).parent if Path(path).name == "checkpoint" else Path(path)
    return "@".join([last.name, *revision])


def describe_models(places: Iterable[str | Path]) -> list[ModelInfo]:
    """What is known of each, equal weights but once. Raises CheckpointError as ``load_checkpoint`` does."""
    found: dict[str, ModelInfo] = {}
    for where in places:
        each = describe_model(where)
        found.setdefault(each.hash, each)
    return list(found.values())


def shipped_models(folder: Path, first: str) -> list[Path]:
    """The folders of models in a folder, not of classifiers and weaker siblings, the one of that name first."""
    return sorted(filter(_is_model, folder.iterdir()), key=lambda each: (each.name != first, each.name))


def _is_model(folder: Path) -> bool:
    if folder.name.endswith(SUFFIX):
        return False
    try:
        read_config(folder, CheckpointConfig.from_json)
    except (CheckpointError, OSError):
        return False
    return True
