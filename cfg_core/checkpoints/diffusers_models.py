"""Models made elsewhere, drawn by our rules and samplers: diffusers' DiT on latents, and its class-conditional UNet2D.

A folder in diffusers' format, or its name on the Hub: ``owner/name``, or ``owner/name@revision``. λ comes from the
model's own table of timesteps, its learned variance is ignored. Such a folder is a pipeline: model_index.json, a
scheduler whose config has the betas, a network whose last class embedding is the null class ∅, and for latents a VAE.
Only safetensors are read, those of a variant (``*.fp16.safetensors``) where there are no others. diffusers itself is
needed only to draw.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cfg_core.checkpoints.diffusers_denoisers import DiffusersConfig, DiffusersDenoiser, LatentDenoiser
from cfg_core.checkpoints.diffusers_schedules import complete_scheduler
from cfg_core.checkpoints.diffusers_weights import check_size, load_network, read_object, weight_files
from cfg_core.checkpoints.format import LoadedModel
from cfg_core.checkpoints.model_folder import CONFIG, CheckpointError, hub_access
from cfg_core.checks import line, number, shown
from cfg_core.devices import DEVICE_PRECISION
from cfg_core.files import file_hash

INDEX = "model_index.json"


NEEDS = "diffusers>=0.35"
"""What drawing takes on top of requirements.txt."""


HUB_NAME = re.compile(r"([\w-][\w.-]*/[\w.-]+)(?:@([\w./-]+))?")
"""owner/name, and a revision of it where one is meant."""


@dataclass(frozen=True)
class Kind:
    """A network of diffusers': where its folder lies in a pipeline, and what its config calls the number of classes."""

    part: str
    classes: str
    latents: bool


KINDS = {
    "DiTTransformer2DModel": Kind("transformer", "num_embeds_ada_norm", latents=True),
    "UNet2DModel": Kind("unet", "num_class_embeds", latents=False),
}


def find_pipeline(where: str | Path) -> Path | None:
    """The folder of a pipeline in diffusers' format, fetched from the Hub where it is a name there; None for what is
    something else. Raises CheckpointError where it cannot be fetched."""
    if os.path.isdir(where):
        return Path(where) if os.path.lexists(Path(where, INDEX)) else None
    named = HUB_NAME.fullmatch(str(where))
    return _fetched(*named.groups()) if named else None


def _fetched(repository: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download

    with hub_access(f"{repository}@{revision}" if revision else repository):
        snapshot = Path(snapshot_download(repository, revision=revision, allow_patterns=[INDEX, CONFIG]))
        if not (snapshot / INDEX).is_file():
            return None
        commit = snapshot.name  # files of it that are cached are taken from there, without a request
        return Path(snapshot_download(repository, revision=commit, allow_patterns=["*.json", "*.safetensors"]))


def read_pipeline_config(folder: Path, name: str) -> tuple[DiffusersConfig, str]:
    """What a pipeline is, and its hash, without diffusers. Raises CheckpointError for one that cannot be drawn with."""
    try:
        index = read_object(folder / INDEX)
        kind, of = next((k, v) for k, v in KINDS.items() if index.get(v.part) == ["diffusers", k])
        parts = (of.part, "vae") if of.latents else (of.part,)
        network, *others = (read_object(folder / part / CONFIG) for part in parts)
        scheduler = read_object(folder / "scheduler" / "scheduler_config.json")
    except StopIteration:
        what = shown(index.get("_class_name"))
        raise CheckpointError(f"checkpoint {folder} must be a pipeline of {' or '.join(KINDS)}, got {what}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {folder} is not a whole pipeline of diffusers: {error}") from error
    try:
        scheduler = complete_scheduler(scheduler)
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"checkpoint {folder}: its scheduler's {error}") from error
    try:
        _check_shape(network)
        for each in (network, *others):
            check_size(each)
        classes = _class_names(index, network, of)
    except ValueError as error:
        raise CheckpointError(f"checkpoint {folder}: {error}") from error
    try:
        digest = file_hash(path for part in parts for path in weight_files(folder, part))
    except OSError as error:
        raise CheckpointError(f"checkpoint {folder}: its weights cannot be read ({error})") from error
    return DiffusersConfig(name, kind, classes, network, scheduler), digest


def _check_shape(network: dict[str, Any]) -> None:
    """Raises ValueError for a network that does not take noisy samples alone, of one square size."""
    number("sample_size", network.get("sample_size"), 1, 4096, whole=True)
    taken = number("in_channels", network.get("in_channels"), 1, 1024, whole=True)
    given = network.get("out_channels")
    if given is not None and number("out_channels", given, 1, 1024, whole=True) < taken:
        raise ValueError(
            f"out_channels must be at least in_channels, got {given} and {taken}: it is given another picture as a "
            "condition, which nothing here has"
        )


def _class_names(index: dict[str, Any], network: dict[str, Any], kind: Kind) -> tuple[str, ...]:
    """The classes: of a DiT as many as its config has, its table has one more for ∅; of a UNet2D all but the last.

    Of several words for a class the first; its number where there is no name. Raises ValueError.
    """
    count = number(f"{kind.classes}, the number of classes,", network.get(kind.classes), 2, 100_000, whole=True)
    names = index.get("id2label") or {}
    if not isinstance(names, dict):
        raise ValueError(f"id2label must be an object, got {shown(names)}")
    labels = range(count if kind.latents else count - 1)
    found = (" ".join(str(names.get(str(label), label)).split(",")[0].split()) for label in labels)
    return tuple(line("id2label", name) or str(label) for label, name in enumerate(found))


def load_pipeline(folder: Path, config: DiffusersConfig, digest: str, device: torch.device) -> LoadedModel:
    """The pipeline's model, ready to draw. Raises CheckpointError where diffusers is missing or does not take it."""
    try:
        import diffusers
    except ImportError as error:
        how = f'python -m pip install "{NEEDS}"'
        raise CheckpointError(f"{config.name} is a model of diffusers, which is not installed: {how}") from error
    dtype = DEVICE_PRECISION.get(device.type, torch.float32)

    def part(kind: str, name: str, dtype: torch.dtype) -> Any:
        network = load_network(getattr(diffusers, kind), folder, name, read_object(folder / name / CONFIG), dtype)
        return network.to(device).eval().requires_grad_(False)

    try:
        network = part(config.kind, KINDS[config.kind].part, dtype)
        denoiser = (
            LatentDenoiser(network, part("AutoencoderKL", "vae", torch.float32), config, device, dtype)
            if KINDS[config.kind].latents
            else DiffusersDenoiser(network, config, device, dtype)
        )
    except CheckpointError:
        raise
    except Exception as error:  # whatever diffusers raises for files that it does not take
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(f"checkpoint {folder} cannot be loaded: {reason}") from error
    return LoadedModel(denoiser, config, digest)
