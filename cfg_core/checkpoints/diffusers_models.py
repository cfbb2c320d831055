"""Models made elsewhere, drawn by our rules and samplers: diffusers' DiT on latents, and its class-conditional UNet2D.

A folder in diffusers' format, or its name on the Hub: ``owner/name``, or ``owner/name@revision``. λ comes from the
model's own table of timesteps, its learned variance is ignored. Such a folder is a pipeline: model_index.json, a
scheduler whose config has the betas, a network whose last class embedding is the null class ∅, and for latents a VAE.
Only safetensors are read, those of a variant (``*.fp16.safetensors``) where there are no others. diffusers itself is
needed only to draw.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cfg_core.checkpoints.diffusers_denoisers import DiffusersConfig, DiffusersDenoiser, LatentDenoiser
from cfg_core.checkpoints.diffusers_schedules import complete_scheduler
from cfg_core.checkpoints.format import CONFIG, CheckpointError, LoadedModel, hub_access
from cfg_core.checks import number, shown, text
from cfg_core.devices import DEVICE_PRECISION

INDEX = "model_index.json"


NEEDS = "diffusers>=0.35"
"""What drawing takes on top of requirements.txt."""


HUB_NAME = re.compile(r"([\w-][\w.-]*/[\w.-]+)(?:@([\w./-]+))?")
"""owner/name, and a revision of it where one is meant."""


WEIGHTS = re.compile(r"diffusion_pytorch_model(?:\.(?P<variant>\w+))?(?:-\d{5}-of-\d{5})?\.safetensors")
"""The files of a network's weights; the variant is what diffusers saved them as, such as fp16."""


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
    something else. Raises CheckpointError where the Hub's cannot be had."""
    folder = Path(where)
    if folder.is_dir():
        return folder if (folder / INDEX).is_file() else None
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


def _read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds. Raises ValueError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} must hold an object, got {shown(found)}")
    return found


def read_pipeline_config(folder: Path, name: str) -> tuple[DiffusersConfig, str]:
    """What a pipeline is, and its hash, without diffusers. Raises CheckpointError for one that cannot be drawn with."""
    try:
        index = _read_object(folder / INDEX)
        kind, of = next((k, v) for k, v in KINDS.items() if index.get(v.part) == ["diffusers", k])
        network = _read_object(folder / of.part / CONFIG)
        scheduler = _read_object(folder / "scheduler" / "scheduler_config.json")
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
        classes = _class_names(index, network, of)
    except ValueError as error:
        raise CheckpointError(f"checkpoint {folder}: {error}") from error
    parts = (of.part, "vae") if of.latents else (of.part,)
    for part in parts:
        _variant(folder, part)
    digest = hashlib.sha256()
    for path in sorted(path for part in parts for path in (folder / part).glob("*.safetensors")):
        with path.open("rb") as file:
            while block := file.read(2**24):
                digest.update(block)
    return DiffusersConfig(name, kind, classes, network, scheduler), digest.hexdigest()[:12]


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


def _variant(folder: Path, part: str) -> str | None:
    """The variant of a network's weights that is to be read; None where they are there as they are.

    Raises CheckpointError where there are no safetensors that diffusers would read.
    """
    found = [path.name for path in sorted((folder / part).glob("*.safetensors"))]
    variants = {match["variant"] for each in found if (match := WEIGHTS.fullmatch(each))}
    if None in variants:
        return None
    if variants:
        return min(variants)
    if found:
        raise CheckpointError(
            f"checkpoint {folder} must have {part}/diffusion_pytorch_model.safetensors, or a variant of it as "
            f"diffusion_pytorch_model.fp16.safetensors, got {', '.join(found[:4])}"
        )
    raise CheckpointError(
        f"checkpoint {folder} must have {part}/*.safetensors; pickled weights are never read, docs/spaces.md "
        "says how to convert them"
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
    return tuple(text("id2label", name) or str(label) for label, name in enumerate(found))


def load_pipeline(folder: Path, config: DiffusersConfig, digest: str, device: torch.device) -> LoadedModel:
    """The pipeline's model, ready to draw. Raises CheckpointError where diffusers is missing or does not take it."""
    try:
        import diffusers
    except ImportError as error:
        how = f'python -m pip install "{NEEDS}"'
        raise CheckpointError(f"{config.name} is a model of diffusers, which is not installed: {how}") from error
    dtype = DEVICE_PRECISION.get(device.type, torch.float32)

    def part(kind: str, name: str, dtype: torch.dtype) -> Any:
        network: nn.Module = getattr(diffusers, kind).from_pretrained(
            folder, subfolder=name, use_safetensors=True, variant=_variant(folder, name), torch_dtype=dtype
        )
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
