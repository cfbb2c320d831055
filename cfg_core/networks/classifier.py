"""A convolutional classifier of clean images."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.checks import number, shown
from cfg_core.networks.linear import Linear


@dataclass(frozen=True)
class ClassifierArchitecture:
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


class ClassifierNetwork(nn.Module):
    """``forward(x)``: (N, C, S, S) in [−1, 1] to class logits (N, K), through ``embed`` (N, features) and ``head``.

    Squares of 2×2 pixels become channels; two 3×3 convolutions at each resolution, the mean over the positions, a
    linear layer and a ReLU.
    """

    def __init__(self, architecture: ClassifierArchitecture) -> None:
        super().__init__()
        a = architecture
        layers: list[nn.Module] = []
        for before, width in zip((4 * a.channels, *a.widths), a.widths, strict=False):
            pool = [nn.MaxPool2d(2)] if layers else []
            layers += [*pool, *_convolution(before, width), *_convolution(width, width)]
        self.body = nn.Sequential(*layers)
        self.penultimate = Linear(a.widths[-1], a.features)
        self.head = Linear(a.features, a.num_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def embed(self, x: Tensor) -> Tensor:
        squares = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)  # (N, 4C, S/2, S/2)
        return F.relu(self.penultimate(self.body(squares).mean((2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.embed(x))


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
