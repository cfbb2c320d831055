"""A small classifier of clean pictures. Its features serve FID, its probabilities tell whether a sample is its class.

    python -m cfg_core.classifier --data fashion_mnist --out checkpoints/fashion-mnist-classifier

It never guides: a network that grades samples must not be the one that steered them.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core import data, hub
from cfg_core.checks import names, number, shown, text

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
    """What config.json holds. test_accuracy: share of the test split it names rightly. ValueError if out of range."""

    architecture: Architecture
    classes: tuple[str, ...]
    data: str
    licence: str
    test_accuracy: float
    images_seen: int
    command: str

    def __post_init__(self) -> None:
        number("test_accuracy", self.test_accuracy, 0, 1)
        number("images_seen", self.images_seen, 0, 1e15, whole=True)
        for field in ("data", "licence", "command"):
            text(field, getattr(self, field))
        names("classes", self.classes, self.architecture.num_classes)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ClassifierConfig":
        """Raises ValueError for anything but exactly these fields, each in its range."""
        raw = hub.record("config", json.loads(text), cls)
        raw["architecture"] = Architecture(**hub.record("architecture", raw["architecture"], Architecture))
        return cls(**raw)


@dataclass(frozen=True)
class Classifier:
    """A trained network, ready to judge. hash: the first 12 hex digits of the SHA-256 of its weights file."""

    network: Network
    config: ClassifierConfig
    hash: str

    @torch.inference_mode()
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
        device = self.network.head.weight.device
        blocks = [self.network.embed(block.float().to(device)).cpu() for block in images.split(BLOCK)]
        return torch.cat(blocks)

    @torch.inference_mode()
    def probabilities_of(self, features: Tensor) -> Tensor:
        """Features (N, features) to p(c|x) (N, K)."""
        return self.network.head(features.to(self.network.head.weight.device)).softmax(1).cpu()

    def probabilities(self, images: Tensor) -> Tensor:
        """p(c|x) (N, K) of pictures as ``features`` takes them."""
        return self.probabilities_of(self.features(images))


def load(where: str | Path, device: str | torch.device = "cpu") -> Classifier:
    """A classifier from a folder, or from the Hub by its ``owner/name``; raises hub.CheckpointError in one sentence."""
    config, network, digest = hub.read(where, ClassifierConfig.from_json, lambda c: Network(c.architecture))
    return Classifier(network.to(device).eval(), config, digest)


# ---- training ----


def train(
    network: Network, dataset: data.DataSet, epochs: int, batch: int, learning_rate: float, seed: int
) -> Iterator[float]:
    """AdamW on the cross-entropy, mirrored at random, one cycle of the learning rate; yields the loss of each step."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.05, fused=True)
    device, count = network.head.weight.device, len(dataset.labels)
    steps = -(-count // batch) * epochs
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=max(steps, 2), pct_start=0.2)
    network.train()
    for _ in range(epochs):
        for chosen in torch.randperm(count, generator=generator).split(batch):
            x = data.to_unit(data.mirrored(dataset.images[chosen], 0.5, generator))
            loss = F.cross_entropy(network(x.to(device)), dataset.labels[chosen].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
            yield float(loss.detach())
    network.eval()


@torch.inference_mode()
def accuracy(network: Network, dataset: data.DataSet) -> float:
    """The share of a data set that the network, in evaluation mode, names rightly."""
    device = network.head.weight.device
    blocks = zip(dataset.images.split(BLOCK), dataset.labels.split(BLOCK), strict=True)
    hits = [int((network(data.to_unit(x).to(device)).argmax(1).cpu() == labels).sum()) for x, labels in blocks]
    return sum(hits) / len(dataset.labels)


def card(config: ClassifierConfig) -> str:
    """The model card."""
    return f"""---
license: apache-2.0
tags: [image-classification, guidance-lab]
---
# The classifier that grades samples of {config.data}

A small convolutional network that names clean {config.architecture.size}×{config.architecture.size} pictures of
{config.data}: {", ".join(config.classes)}.

- **Test accuracy**: {config.test_accuracy:.2%} on the test split, which it was not trained on.
- **Trained** on the training split, {config.images_seen:,} pictures in all, by `{config.command}`.
- **Data**: {config.data}, licence {config.licence}.
- **Use**: its {config.architecture.features} penultimate features serve FID, its p(c|x) the class accuracy of samples
  (`python -m cfg_core.evaluate`). Such figures compare only with figures of this same classifier, never with those of
  Inception features. It has not seen noisy pictures and does not guide.
"""


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the shipped Fashion-MNIST classifier."""
    p = argparse.ArgumentParser("python -m cfg_core.classifier", description="Train a classifier of clean pictures.")
    p.add_argument("--data", default="fashion_mnist", help=f"one of {', '.join(data.NAMES)}")
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--out", type=Path, required=True, help="folder for weights, config and card")
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--learning-rate", type=float, default=5e-3, help="peak of the cycle")
    p.add_argument("--seed", type=int, default=0)
    return p


def main(arguments: list[str] | None = None) -> None:
    """Train, measure and save as the command line says; exits with 2 and one sentence on bad input."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core.classifier " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    try:
        number("epochs", a.epochs, 1, 1000, whole=True)
        number("batch", a.batch, 2, 65536, whole=True)
        number("learning-rate", a.learning_rate, 1e-8, 1)
        number("seed", a.seed, 0, 2**32 - 1, whole=True)
        training, test = (data.load(a.data, split, a.data_root) for split in data.SPLITS)
        channels, size = training.images.shape[1:3]
        architecture = Architecture(channels, size, len(training.classes))
    except (ValueError, OSError) as error:
        p.error(str(error))
    torch.manual_seed(a.seed)
    network = Network(architecture).to("cuda" if torch.cuda.is_available() else "cpu")
    total = -(-len(training.labels) // a.batch) * a.epochs
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        task = progress.add_task("loss", total=total)
        losses: list[float] = []
        for loss in train(network, training, a.epochs, a.batch, a.learning_rate, a.seed):
            losses.append(loss)
            progress.update(task, advance=1, description=f"loss {np.mean(losses[-50:]):.4f}")
    measured = accuracy(network, test)
    images_seen = a.epochs * len(training.labels)
    config = ClassifierConfig(
        architecture, training.classes, training.name, training.licence, measured, images_seen, command
    )
    hub.save(a.out, config, network.state_dict(), card(config))
    print(f"test accuracy {measured:.4f} on {len(test.labels):,} pictures; saved in {a.out}")


if __name__ == "__main__":
    main()
