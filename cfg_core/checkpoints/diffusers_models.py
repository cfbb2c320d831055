"""Models made elsewhere, drawn by our rules and samplers: diffusers' DiT on latents, and its class-conditional UNet2D.

A folder in diffusers' format, or its name on the Hub: ``owner/name``, or ``owner/name@revision``. λ comes from the
model's own table of timesteps, its learned variance is ignored. Such a folder is a pipeline: model_index.json, a
scheduler whose config has the betas, a network whose last class embedding is the null class ∅, and for latents a VAE.
Only safetensors are read. diffusers itself is needed only to draw.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cfg_core.checkpoints.format import CONFIG, CheckpointError, LoadedModel, hub_access
from cfg_core.checks import choice, number, shown
from cfg_core.devices import DEVICE_PRECISION
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import DiscreteSchedule

INDEX = "model_index.json"


NEEDS = "diffusers>=0.35"
"""What drawing takes on top of requirements.txt."""


HUB_NAME = re.compile(r"([\w-][\w.-]*/[\w.-]+)(?:@([\w./-]+))?")
"""owner/name, and a revision of it where one is meant."""


DECODED = 4
"""Latents that are decoded together; a decoder takes far more memory than they do."""


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


SPACINGS = {"leading": "leading", "trailing": "trailing", "linspace": "uniform"}
"""What diffusers calls a spacing → what it is called here."""


PREDICTIONS = {"epsilon": Prediction.from_eps, "v_prediction": Prediction.from_v, "sample": Prediction.from_x}
"""What diffusers calls that which a network predicts → what becomes of it."""


CLIPPING = ("DDIMScheduler", "DDPMScheduler")
"""Schedulers that clip x where their config does not say whether."""


MUST = {
    "thresholding": (False, "no rule here rescales x by its own percentiles"),
    "rescale_betas_zero_snr": (False, "λ must be finite at every timestep"),
    "set_alpha_to_one": (True, "every sampler here ends with the predicted x itself"),
}
"""Settings of a scheduler that have to be such where its config has them, and why."""


@dataclass(frozen=True)
class DiffusersConfig:
    """What the JSON files of a pipeline say. kind: the class of its network. schedule: its scheduler's config."""

    name: str
    kind: str
    classes: tuple[str, ...]
    network: dict[str, Any]
    schedule: dict[str, Any]
    finished: bool = True

    @property
    def about(self) -> str:
        """In a few words."""
        return f"{self.kind} · {len(self.classes):,} classes"


class Network(Protocol):
    """How diffusers' class-conditional networks are called; the output's ``sample`` has the prediction first."""

    def __call__(self, sample: Tensor, timestep: Tensor, *, class_labels: Tensor) -> Any: ...


class DiffusersDenoiser(Denoiser):
    """A network of diffusers' that predicts ε, v or x at N discrete timesteps; λ is that of the nearest one.

    Its rows round differently in batches of another size, so that a picture agrees with itself to float32's accuracy
    and not to the last bit.
    """

    def __init__(self, network: Network, config: DiffusersConfig, device: torch.device, dtype: torch.dtype) -> None:
        self._network, self._dtype = network, dtype
        self._prediction = PREDICTIONS[config.schedule["prediction_type"]]
        self.classes = config.classes
        self.device = device
        self.schedule: DiscreteSchedule = schedule(config.schedule)
        self.spacing = SPACINGS[config.schedule["timestep_spacing"]]
        self.clip = config.schedule["clip_sample_range"] if config.schedule["clip_sample"] else None
        channels, size = config.network["in_channels"], config.network["sample_size"]
        self.shape = (channels, size, size)

    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor, w: Tensor | None = None) -> Prediction:
        self.check_labels(labels)
        z, log_snr = z[rows], log_snr[rows]
        timesteps = self.schedule.timestep(log_snr).to(z.device)
        found = self._network(z.to(self._dtype), timesteps, class_labels=labels.to(z.device)).sample
        told = found[:, : self.shape[0]].to(z.dtype)  # what follows is the learned variance
        return self._prediction(z, log_snr, told)


class LatentDenoiser(DiffusersDenoiser):
    """The same on the latents of an autoencoder, which makes pictures of them."""

    def __init__(
        self, network: Network, vae: Any, config: DiffusersConfig, device: torch.device, dtype: torch.dtype
    ) -> None:
        super().__init__(network, config, device, dtype)
        self._vae = vae
        self._enlarged = 2 ** (len(vae.config.block_out_channels) - 1)

    @property
    def picture_shape(self) -> tuple[int, ...]:
        side = self.shape[1] * self._enlarged
        return self._vae.config.out_channels, side, side

    @torch.inference_mode()
    def pictures(self, x: Tensor) -> Tensor:
        latents = x.to(self._dtype) / self._vae.config.scaling_factor
        return torch.cat([self._vae.decode(some).sample for some in latents.split(DECODED)]).float()


# ---- the scheduler's config ----------------------------------------------------------------------------------------


def _linear(first: float, last: float, count: int) -> Tensor:
    return torch.linspace(first, last, count, dtype=torch.float32)


def _scaled_linear(first: float, last: float, count: int) -> Tensor:
    return _linear(first**0.5, last**0.5, count) ** 2


def _squared_cosine(first: float, last: float, count: int) -> Tensor:
    """ᾱ(u) = cos²((u + 0.008)/1.008 · π/2), β at most 0.999 (Nichol & Dhariwal, arXiv 2102.09672, eq. 17)."""
    u = torch.linspace(0, 1, count + 1, dtype=torch.float64)
    alpha_bar = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=0.999)


BETAS: dict[str, Callable[[float, float, int], Tensor]] = {
    "linear": _linear,
    "scaled_linear": _scaled_linear,
    "squaredcos_cap_v2": _squared_cosine,
}
"""What diffusers calls a table of betas → (first, last, N) → the table (N,)."""


def understood(said: dict[str, Any]) -> dict[str, Any]:
    """A scheduler's config, with diffusers' own values where it says nothing.

    Raises ValueError, in a sentence that begins with the setting, for one that would not be drawn as it means.
    """
    usual = {"prediction_type": "epsilon", "timestep_spacing": "leading", "clip_sample_range": 1.0, "steps_offset": 0}
    config = {**usual, "clip_sample": said.get("_class_name") in CLIPPING, **said}
    choice("prediction_type", config["prediction_type"], PREDICTIONS)
    choice("timestep_spacing", config["timestep_spacing"], SPACINGS)
    number("clip_sample_range", config["clip_sample_range"], 0, 1e6)
    for setting, (value, reason) in MUST.items():
        if config.get(setting, value) != value:
            raise ValueError(f"{setting} must be {value}, since {reason}, got {shown(config[setting])}")
    schedule(config)
    return config


def schedule(config: dict[str, Any]) -> DiscreteSchedule:
    """The noise levels of a scheduler's config. Raises ValueError for betas that are not known here, or are none."""
    if config.get("trained_betas") is not None:
        betas = torch.tensor(config["trained_betas"], dtype=torch.float32)
    else:
        table = BETAS[choice("beta_schedule", config.get("beta_schedule"), BETAS)]
        first, last = (number(end, config.get(end), 0, 1) for end in ("beta_start", "beta_end"))
        count = number("num_train_timesteps", config.get("num_train_timesteps"), 1, 10**5, whole=True)
        betas = table(first, last, count)
    if not bool(((betas > 0) & (betas < 1)).all()):
        raise ValueError(f"betas must lie between 0 and 1, got {float(betas.min()):g} to {float(betas.max()):g}")
    return DiscreteSchedule(betas, config["steps_offset"])


# ---- folders -------------------------------------------------------------------------------------------------------


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
        commit = snapshot.name  # what lies in the cache of it is taken from there, and nobody is asked again
        return Path(snapshot_download(repository, revision=commit, allow_patterns=["*.json", "*.safetensors"]))


def _said(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds. Raises ValueError."""
    found = json.loads(path.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} must hold an object, got {shown(found)}")
    return found


def read_pipeline_config(folder: Path, name: str) -> tuple[DiffusersConfig, str]:
    """What a pipeline is, and its hash, without diffusers. Raises CheckpointError for one that cannot be drawn with."""
    try:
        index = _said(folder / INDEX)
        kind, of = next((k, v) for k, v in KINDS.items() if index.get(v.part) == ["diffusers", k])
        network = _said(folder / of.part / CONFIG)
        config = _said(folder / "scheduler" / "scheduler_config.json")
    except StopIteration:
        what = shown(index.get("_class_name"))
        raise CheckpointError(f"checkpoint {folder} must be a pipeline of {' or '.join(KINDS)}, got {what}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {folder} is not a whole pipeline of diffusers: {error}") from error
    try:
        config = understood(config)
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"checkpoint {folder}: its scheduler's {error}") from error
    if not isinstance(network.get("sample_size"), int):
        raise CheckpointError(f"checkpoint {folder} must have a sample_size, got {shown(network.get('sample_size'))}")
    parts = (of.part, "vae") if of.latents else (of.part,)
    for part in parts:
        if not list((folder / part).glob("*.safetensors")):
            raise CheckpointError(
                f"checkpoint {folder} must have {part}/*.safetensors; pickled weights are never read, docs/spaces.md "
                "says how to convert them"
            )
    digest = hashlib.sha256()
    for path in sorted(path for part in parts for path in (folder / part).glob("*.safetensors")):
        with path.open("rb") as file:
            while block := file.read(2**24):
                digest.update(block)
    return DiffusersConfig(name, kind, _names(index, network, of), network, config), digest.hexdigest()[:12]


def _names(index: dict[str, Any], network: dict[str, Any], kind: Kind) -> tuple[str, ...]:
    """The classes: of a DiT as many as it says, its table has one more for ∅; of a UNet2D all but the last."""
    count = network.get(kind.classes)
    if not isinstance(count, int) or count < 2:
        raise CheckpointError(f"checkpoint must have classes and a null class, got {kind.classes} = {shown(count)}")
    names = index.get("id2label") or {}
    if not isinstance(names, dict):
        raise CheckpointError(f"checkpoint must have id2label as an object, got {shown(names)}")
    labels = range(count if kind.latents else count - 1)
    return tuple(str(names.get(str(label), label)).split(",")[0].strip() for label in labels)


def load_pipeline(folder: Path, config: DiffusersConfig, digest: str, device: torch.device) -> LoadedModel:
    """The pipeline's model, ready to draw. Raises CheckpointError where diffusers is missing or does not take it."""
    try:
        import diffusers
    except ImportError as error:
        how = f'python -m pip install "{NEEDS}"'
        raise CheckpointError(f"{config.name} is a model of diffusers, which is not installed: {how}") from error
    dtype = DEVICE_PRECISION.get(device.type, torch.float32)

    def part(kind: str, name: str) -> Any:
        network: nn.Module = getattr(diffusers, kind).from_pretrained(
            folder, subfolder=name, use_safetensors=True, torch_dtype=dtype
        )
        return network.to(device).eval().requires_grad_(False)

    try:
        network = part(config.kind, KINDS[config.kind].part)
        denoiser = (
            LatentDenoiser(network, part("AutoencoderKL", "vae"), config, device, dtype)
            if KINDS[config.kind].latents
            else DiffusersDenoiser(network, config, device, dtype)
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"checkpoint {folder} cannot be loaded: {str(error).splitlines()[0]}") from error
    return LoadedModel(denoiser, config, digest)
