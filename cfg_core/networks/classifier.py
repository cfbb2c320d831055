"""A convolutional classifier of clean images."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.checks import boolean, number, shown
from cfg_core.networks.linear import Linear


@dataclass(frozen=True)
class ClassifierArchitecture:
    """widths: channels at 1/2, 1/4, 1/8 … of the resolution. features: the penultimate layer's. stem: channels at full
    resolution, 0, as in files without it, for none; noise-aware classifiers have none. mirrored: whether features are
    the mean of those of an image and of its mirror image; of clean images whose classes do not depend on the side.

    Raises ValueError for a field out of range.
    """

    channels: int
    size: int
    num_classes: int
    widths: tuple[int, ...] = (32, 64, 128)
    features: int = 64
    stem: int = 0
    mirrored: bool = False

    def __post_init__(self) -> None:
        number("channels", self.channels, 1, 16, whole=True)
        number("num_classes", self.num_classes, 2, 100_000, whole=True)
        number("features", self.features, 2, 4096, whole=True)
        if not isinstance(self.widths, tuple) or not 1 <= len(self.widths) <= 6:
            raise ValueError(f"widths must be a list of 1 to 6 numbers, got {shown(self.widths)}")
        for width in self.widths:
            number("widths", width, 1, 2048, whole=True)
        number("stem", self.stem, 0, 2048, whole=True)
        boolean("mirrored", self.mirrored)
        least = 2 ** len(self.widths) + (1 if self.stem else 0)  # the stem takes one pixel off each side
        if number("size", self.size, least, 1024, whole=True) % 2:
            raise ValueError(f"size must be even, got {self.size}")


class ClassifierNetwork(nn.Module):
    """``forward(x)``: (N, C, S, S) in [−1, 1] to class logits (N, K), through ``embed`` (N, features) and ``head``.

    With a stem: a 2×2 convolution at full resolution; at each resolution two 3×3 convolutions, the first of them
    before the maximum over squares of 2×2. Without one: squares of 2×2 pixels become channels; two 3×3 convolutions at
    each resolution. Then the mean over the positions, a linear layer and a ReLU; of a ``mirrored`` classifier in
    evaluation mode the mean of these features and those of the mirror image.
    """

    def __init__(self, architecture: ClassifierArchitecture) -> None:
        super().__init__()
        a = architecture
        self.body = nn.Sequential(*(_with_stem(a) if a.stem else _without_stem(a)))
        self.unshuffle = 1 if a.stem else 2
        self.mirrored = a.mirrored
        self.penultimate = Linear(a.widths[-1], a.features)
        self.head = Linear(a.features, a.num_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def embed(self, x: Tensor) -> Tensor:
        if self.mirrored and not self.training:
            return (self._one_side(x) + self._one_side(x.flip(3))) / 2
        return self._one_side(x)

    def _one_side(self, x: Tensor) -> Tensor:
        x = F.pixel_unshuffle(x, self.unshuffle).contiguous(memory_format=torch.channels_last)
        return F.relu(self.penultimate(self.body(x).mean((2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.embed(x))


def _with_stem(a: ClassifierArchitecture) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(a.channels, a.stem, 2), nn.GELU()]
    for before, width in pairwise((a.stem, *a.widths)):
        layers += [_convolution(before, width), nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.GELU()]
        layers += [_convolution(width, width), nn.BatchNorm2d(width), nn.GELU()]
    return layers


def _without_stem(a: ClassifierArchitecture) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, width in pairwise((4 * a.channels, *a.widths)):
        layers += [nn.MaxPool2d(2)] if layers else []
        layers += [_convolution(before, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        layers += [_convolution(width, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return layers


def _convolution(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1, bias=False)
