"""Checkpoints: ``model.safetensors`` + ``config.json`` + a model card, in a folder or on the Hub. Never pickle."""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from cfg_core.checkpoints.model_folder import CARD, CONFIG, WEIGHTS, CheckpointError, model_file, model_folder
from cfg_core.checkpoints.weights import one_core, read_weights, without_memory
from cfg_core.checks import boolean, choice, line, names, number, parse_json, shown, text
from cfg_core.devices import DEVICE_PRECISION
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule
from cfg_core.files import check_writable, file_hash, read_text, write_atomically
from cfg_core.networks.unet import UNet, UNetConfig

VERSION = 1
"""Of config.json; a file without one is of version 1."""


LOSS_WEIGHTS = ("v", "epsilon", "min_snr")


LONGEST_PROVENANCE = 1000
"""Characters of the name of a data set, and of its licence."""


MAX_FILE_BYTES = 10_000_000
"""Bytes of a file that the Hub takes without extra set-up."""


@dataclass(frozen=True)
class CheckpointConfig:
    """What config.json holds. finished: whether its training has ended. title: how people call the model, "" for as its
    folder is called. opens_on: the name of the class that is drawn where none is chosen, "" for the first one. Raises
    ValueError for a field out of range.

    Fields with a default may be absent from the file, so that files from before such a field open.
    """

    architecture: UNetConfig
    schedule: Schedule
    prediction: str
    loss_weight: str
    classes: tuple[str, ...]
    data: str
    licence: str
    p_uncond: float
    images_seen: int
    command: str
    finished: bool = True
    title: str = ""
    opens_on: str = ""

    def __post_init__(self) -> None:
        boolean("finished", self.finished)
        choice("prediction", self.prediction, ("v",))
        choice("loss_weight", self.loss_weight, LOSS_WEIGHTS)
        number("p_uncond", self.p_uncond, 0, 1)
        number("images_seen", self.images_seen, 0, 1e15, whole=True)
        for field in ("data", "licence"):
            line(field, getattr(self, field), LONGEST_PROVENANCE)
        text("command", self.command)
        names("classes", self.classes, self.architecture.num_classes)
        line("title", self.title)
        choice("opens_on", self.opens_on, ("", *self.classes))

    @property
    def opening_label(self) -> int:
        """The label of the class that is drawn where none is chosen."""
        return self.classes.index(self.opens_on) if self.opens_on else 0

    @property
    def about(self) -> str:
        """Its data, how long it was trained and p_uncond, in one line."""
        seen = f"{self.images_seen:,} images" if self.finished else f"in training, {self.images_seen:,} images so far"
        return f"{self.data} · {seen} · p_uncond {self.p_uncond:g}"

    def to_json(self) -> str:
        return config_to_json(self)

    @classmethod
    def from_json(cls, text: str) -> "CheckpointConfig":
        """Raises ValueError for an unknown field, one that is missing, and one out of its range."""
        raw = config_from_json(text, cls)
        raw["architecture"] = UNetConfig(**checked_fields("architecture", raw["architecture"], UNetConfig))
        raw["schedule"] = schedule_from_json(raw["schedule"])
        return cls(**raw)


def schedule_from_json(raw: Any) -> Schedule:
    """The schedule of a config. Raises ValueError for a field out of range."""
    bounds = checked_fields("schedule", raw, Schedule)
    return Schedule(**{field: number(field, value, -100, 100) for field, value in bounds.items()})


def config_to_json(config: Any) -> str:
    """The text of config.json: the version, and the fields of a config dataclass."""
    return json.dumps({"version": VERSION, **asdict(config)}, indent=2) + "\n"


def config_from_json(text: str, kind: Any) -> dict[str, Any]:
    """The fields of a config dataclass in config.json's text, of this version or an older one. Raises ValueError."""
    raw = parse_json("config", text)
    if isinstance(raw, dict):
        number("version", raw.pop("version", 1), 1, VERSION, whole=True)
    return checked_fields("config", raw, kind)


def checked_fields(name: str, raw: Any, kind: Any) -> dict[str, Any]:
    """A JSON object with the fields of that dataclass, its lists as tuples; those with a default may be absent.

    Raises ValueError for fields that are unknown or missing.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"{name} must be an object, got {shown(raw)}")
    required = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    if unknown := sorted(raw.keys() - {field.name for field in fields(kind)}):
        raise ValueError(f"{name} has the unknown fields {unknown}")
    if missing := sorted(required - raw.keys()):
        raise ValueError(f"{name} lacks the fields {missing}")
    return {field: tuple(value) if isinstance(value, list) else value for field, value in raw.items()}


class ModelDescription(Protocol):
    """What is known of a model without its weights."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def finished(self) -> bool: ...
    @property
    def title(self) -> str: ...
    @property
    def opening_label(self) -> int: ...
    @property
    def about(self) -> str: ...


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to draw, whoever made it. hash: the first 12 hex digits of the SHA-256 of its weights. guide,
    weaker: the same of the noise-aware classifier that guides it and of its weaker sibling, "" where there is none."""

    denoiser: Denoiser
    config: ModelDescription
    hash: str
    guide: str = ""
    weaker: str = ""


@dataclass(frozen=True)
class Checkpoint(LoadedModel):
    """A model of this project."""

    denoiser: NetworkDenoiser
    config: CheckpointConfig


class Config(Protocol):
    """What config.json of some kind of network holds."""

    def to_json(self) -> str: ...


def save_checkpoint(folder: Path, config: Config, weights: Mapping[str, Tensor], card: str | None = None) -> None:
    """Write a checkpoint, each file whole or not at all. The card is left as it is where none is given.

    Weights of more than MAX_FILE_BYTES are stored in half precision; a network computes in float32 even so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: t.detach().cpu().contiguous() for name, t in weights.items()}
    if sum(t.nbytes for t in plain.values()) > MAX_FILE_BYTES:
        plain = {name: t.half() if t.is_floating_point() else t for name, t in plain.items()}
    write_atomically(folder / WEIGHTS, save_tensors(plain))
    write_atomically(folder / CONFIG, config.to_json().encode())
    if card is not None:
        write_atomically(folder / CARD, card.encode("utf-8", "backslashreplace"))  # a command may name any path


def load_checkpoint(
    where: str | Path, device: str | torch.device = "cpu", precision: torch.dtype | None = None
) -> Checkpoint:
    """A checkpoint from a folder, or from the Hub by its ``owner/name``, ready to draw on that device.

    precision: what its convolutions compute in, by default the device's. Raises CheckpointError, in one sentence, for
    whatever is wrong with it.
    """
    config, network, digest = read_network(where, CheckpointConfig.from_json, lambda config: UNet(config.architecture))
    precision = precision or DEVICE_PRECISION.get(torch.device(device).type)
    denoiser = NetworkDenoiser(network.to(device), config.schedule, config.classes, precision)
    return Checkpoint(denoiser, config, digest)


def check_checkpoint_writable(field: str, folder: Path) -> None:
    """Raises ValueError unless ``save_checkpoint`` can write to that folder, which is made."""
    check_writable(field, folder, folder=True)
    for file in (WEIGHTS, CONFIG, CARD):
        check_writable(field, folder / file)


AnyConfig = TypeVar("AnyConfig", bound=Config)


AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


def read_network(
    where: str | Path, parse: Callable[[str], AnyConfig], build: Callable[[AnyConfig], AnyNetwork]
) -> tuple[AnyConfig, AnyNetwork, str]:
    """The config, the network with its weights, and the hash of a checkpoint of any kind.

    parse: the text of config.json to a config, or ValueError. build: the config to a network, or ValueError; first
    without memory, until the header of the weights is known to fit. Raises CheckpointError as ``load_checkpoint`` does.
    """
    config, path = _read(where, parse)
    try:
        expected = without_memory(lambda: build(config)).state_dict()
        weights, digest = read_weights(path, expected)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {path.parent}: {error}") from error
    with one_core():
        network = build(config)
        network.load_state_dict(weights)
    return config, network, digest


def read_config(where: str | Path, parse: Callable[[str], AnyConfig]) -> tuple[AnyConfig, str]:
    """The config and the hash of a checkpoint of any kind. Raises CheckpointError as ``load_checkpoint`` does."""
    config, path = _read(where, parse)
    try:
        return config, file_hash([path])
    except OSError as error:
        raise CheckpointError(f"checkpoint {path.parent}: {WEIGHTS} cannot be read ({error})") from error


def _read(where: str | Path, parse: Callable[[str], AnyConfig]) -> tuple[AnyConfig, Path]:
    """The config of a checkpoint, and where its weights lie. Raises CheckpointError."""
    folder = model_folder(where)
    config, weights = (model_file(folder, file) for file in (CONFIG, WEIGHTS))
    try:
        return parse(read_text(config)), weights
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {folder}: {CONFIG} is not valid: {error}") from error
