"""Models by name: what there is to know of one before its weights are loaded."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cfg_core.checkpoints.diffusers_models import find_pipeline, read_pipeline_config
from cfg_core.checkpoints.format import CheckpointConfig, CheckpointError, ModelDescription, read_config


@dataclass(frozen=True)
class ModelInfo:
    """A model that may be chosen. where: its folder, or its name on the Hub. hash: of its weights."""

    name: str
    where: str
    hash: str
    config: ModelDescription


def describe_model(where: str | Path) -> ModelInfo:
    """What there is to know of a model before it is loaded. Raises CheckpointError as ``checkpoints.load`` does."""
    path = Path(where)
    name = path.parent.name if path.name == "checkpoint" else path.name  # that of a training run
    if folder := find_pipeline(where):
        config, digest = read_pipeline_config(folder, name)
        return ModelInfo(name, str(folder), digest, config)
    own, digest = read_config(where, CheckpointConfig.from_json)
    return ModelInfo(name, str(where), digest, own)


def describe_models(places: Iterable[str | Path]) -> list[ModelInfo]:
    """What there is to know of each, equal weights but once. Raises CheckpointError as ``checkpoints.load`` does."""
    found: dict[str, ModelInfo] = {}
    for where in places:
        each = describe_model(where)
        found.setdefault(each.hash, each)
    return list(found.values())


def shipped_models(folder: Path, first: str) -> list[Path]:
    """The folders of models, not of classifiers, that lie in a folder, the one of that name first."""
    return sorted(filter(_is_model, folder.iterdir()), key=lambda each: (each.name != first, each.name))


def _is_model(folder: Path) -> bool:
    try:
        read_config(folder, CheckpointConfig.from_json)
    except (CheckpointError, OSError):
        return False
    return True
