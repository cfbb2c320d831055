"""The classifier of clean pictures that judges: its features serve FID, its probabilities tell a sample's class.

It never guides: a network that grades samples must not be the one that steered them (cfg_core.guide).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core import checkpoints
from cfg_core.checks import names, number, shown, text
from cfg_core.schedule import Schedule

BLOCK = 500
"""Pictures that are looked at together; it bounds the memory of any number of them."""


@dataclass(frozen=True)
class Architecture:
    """widths: channels at 1/2, 1/4, 1/8 … of the resolution. features: the penultimate layer's.

    Raises ValueError for a field out of range.
    """

    channels: int
    size: int
    num_classes: int
    widths: tuple[int, ...] = (32, 64, 128)
    features: int = 64

    def __post_init__(self) -> None:
        number("channels", self.channels, 1, 16, whole=True)
        number("num_classes", self.num_classes, 2, 100_000, whole=True)
        number("features", self.features, 2, 4096, whole=True)
        if not isinstance(self.widths, tuple) or not 1 <= len(self.widths) <= 6:
            raise ValueError(f"widths must be a list of 1 to 6 numbers, got {shown(self.widths)}")
        for width in self.widths:
            number("widths", width, 1, 2048, whole=True)
        if number("size", self.size, 2 ** len(self.widths), 1024, whole=True) % 2:
            raise ValueError(f"size must be even, got {self.size}")


class Network(nn.Module):
    """``forward(x)``: (N, C, S, S) in [−1, 1] to class logits (N, K), through ``embed`` (N, features) and ``head``.

    Squares of 2×2 pixels become channels; two 3×3 convolutions at each resolution, the mean over the places, a linear
    layer and a ReLU.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = architecture
        layers: list[nn.Module] = []
        for before, width in zip((4 * a.channels, *a.widths), a.widths, strict=False):
            pool = [nn.MaxPool2d(2)] if layers else []
            layers += [*pool, *_convolution(before, width), *_convolution(width, width)]
        self.body = nn.Sequential(*layers)
        self.penultimate = nn.Linear(a.widths[-1], a.features)
        self.head = nn.Linear(a.features, a.num_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def embed(self, x: Tensor) -> Tensor:
        squares = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)  # (N, 4C, S/2, S/2)
        return F.relu(self.penultimate(self.body(squares).mean((2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.embed(x))


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


@dataclass(frozen=True)
class ClassifierConfig:
    """What config.json holds. Raises ValueError for a field out of range.

    schedule: of the noise it was trained under, None where it knows clean pictures only. test_accuracy: the share of
    the clean test split that it names rightly. spread: how far apart the features of two test pictures of one class
    are, on average; 0 where there are no features to speak of.
    """

    architecture: Architecture
    classes: tuple[str, ...]
    data: str
    licence: str
    test_accuracy: float
    images_seen: int
    command: str
    schedule: Schedule | None = None
    spread: float = 0.0

    def __post_init__(self) -> None:
        number("test_accuracy", self.test_accuracy, 0, 1)
        number("spread", self.spread, 0, 1e9)
        number("images_seen", self.images_seen, 0, 1e15, whole=True)
        for field in ("data", "licence", "command"):
            text(field, getattr(self, field))
        names("classes", self.classes, self.architecture.num_classes)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ClassifierConfig":
        """Raises ValueError for anything but exactly these fields, each in its range."""
        raw = checkpoints.record("config", json.loads(text), cls)
        raw["architecture"] = Architecture(**checkpoints.record("architecture", raw["architecture"], Architecture))
        raw["schedule"] = None if raw["schedule"] is None else checkpoints.schedule(raw["schedule"])
        return cls(**raw)


@dataclass(frozen=True)
class Judge:
    """A trained network, ready to judge. hash: the first 12 hex digits of the SHA-256 of its weights file."""

    network: Network
    config: ClassifierConfig
    hash: str

    def features(self, images: Tensor) -> Tensor:
        """Pictures (N, C, S, S), floating point in [−1, 1], to penultimate features (N, features) on the CPU.

        Raises ValueError for pictures of another shape or type.
        """
        a = self.config.architecture
        if not images.is_floating_point() or images.shape[1:] != (a.channels, a.size, a.size):
            raise ValueError(
                f"images must be floating point of shape (N, {a.channels}, {a.size}, {a.size}), "
                f"got {images.dtype} of shape {tuple(images.shape)}"
            )
        return features(self.network, images)

    @torch.inference_mode()
    def probabilities_of(self, features: Tensor) -> Tensor:
        """Features (N, features) to p(c|x) (N, K)."""
        return self.network.head(features.to(self.network.head.weight.device)).softmax(1).cpu()

    def probabilities(self, images: Tensor) -> Tensor:
        """p(c|x) (N, K) of pictures as ``features`` takes them."""
        return self.probabilities_of(self.features(images))


@torch.inference_mode()
def features(network: Network, images: Tensor) -> Tensor:
    """Penultimate features (N, features) of pictures (N, C, S, S) in [−1, 1], on the CPU, at bounded memory."""
    device = network.head.weight.device
    return torch.cat([network.embed(block.float().to(device)).cpu() for block in images.split(BLOCK)])


def load(
    where: str | Path, device: str | torch.device = "cpu", checkpoint: checkpoints.Checkpoint | None = None
) -> Judge:
    """A classifier from a folder, or from the Hub by its ``owner/name``; raises CheckpointError in one sentence.

    checkpoint: the model whose samples it is to judge, where that is known; raises ValueError as ``check_match`` does.
    """
    config, network, digest = checkpoints.read(where, ClassifierConfig.from_json, lambda c: Network(c.architecture))
    if checkpoint:
        check_match(config, checkpoint)
    return Judge(network.to(device).eval(), config, digest)


def beside(where: str | Path, kind: str, model: checkpoints.CheckpointConfig) -> Path | None:
    """The folder of a model's classifier: NAME-kind beside its own, or another NAME-kind there of the same pictures.

    kind: "classifier", of clean pictures, or "guide", of noisy ones.
    """
    own = Path(f"{where}-{kind}")
    if own.is_dir():
        return own
    return next((each for each in sorted(own.parent.glob(f"*-{kind}")) if _serves(each, model)), None)


def _serves(folder: Path, model: checkpoints.CheckpointConfig) -> bool:
    try:
        config, _ = checkpoints.peek(folder, ClassifierConfig.from_json)
    except checkpoints.CheckpointError:
        return False
    theirs, ours = ((c.architecture.channels, c.architecture.size, c.data, c.classes) for c in (config, model))
    return theirs == ours and config.schedule in (None, model.schedule)


def spread(features: Tensor, labels: Tensor) -> float:
    """The mean distance of two pictures of one class, from features (N, D) and labels (N,), over all classes alike."""
    return float(torch.stack([F.pdist(features[labels == label]).mean() for label in labels.unique()]).mean())


def check_match(config: ClassifierConfig, checkpoint: checkpoints.Checkpoint) -> None:
    """Raises ValueError unless the classifier names the checkpoint's classes and takes its pictures."""
    a, denoiser = config.architecture, checkpoint.denoiser
    theirs, ours = ((a.channels, a.size, a.size), config.classes), (denoiser.shape, denoiser.classes)
    if theirs != ours:
        raise ValueError(
            f"classifier must be of the checkpoint's pictures {ours[0]} and classes ({', '.join(ours[1])}), "
            f"got {theirs[0]} and ({', '.join(theirs[1])})"
        )
