"""A small convolutional U-Net made for CPUs: dense 3×3 convolutions in channels-last, no attention.

It knows nothing of diffusion: images, a noise level and labels in, images out. Unlike most it has *late
conditioning*: the class enters only the decoder, so that the trunk (encoder) is shared between the conditional and the
unconditional evaluation of the same image. The paper's Discussion proposes it; docs/network.md measures it.
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.checks import boolean, number, shown
from cfg_core.networks.blocks import Block, LogSNREmbedding


@dataclass(frozen=True)
class UNetConfig:
    """The architecture. ``widths``, ``encoder`` and ``decoder`` go from the finest to the coarsest level.

    widths: channels of each level, multiples of 16. encoder, decoder: residual blocks of each level.
    late: the class enters the decoder only; otherwise every block. Raises ValueError for a field out of range.
    """

    channels: int
    size: int
    num_classes: int
    widths: tuple[int, ...] = (48, 96)
    encoder: tuple[int, ...] = (2, 3)
    decoder: tuple[int, ...] = (2, 1)
    late: bool = True
    patch: int = 2
    embedding: int = 128

    def __post_init__(self) -> None:
        number("channels", self.channels, 1, 16, whole=True)
        number("num_classes", self.num_classes, 1, 100_000, whole=True)
        number("patch", self.patch, 1, 16, whole=True)
        number("embedding", self.embedding, 16, 4096, whole=True)
        for field in ("widths", "encoder", "decoder"):
            if not isinstance(getattr(self, field), tuple) or not 1 <= len(getattr(self, field)) <= 6:
                raise ValueError(f"{field} must be a list of 1 to 6 numbers, got {shown(getattr(self, field))}")
        if not len(self.widths) == len(self.encoder) == len(self.decoder):
            raise ValueError(
                f"widths, encoder and decoder must have one entry a level, got {self.widths}, {self.encoder} "
                f"and {self.decoder}"
            )
        for width in self.widths:
            if number("widths", width, 16, 2048, whole=True) % 16:
                raise ValueError(f"widths must be multiples of 16, got {width}")
        for blocks in (*self.encoder, *self.decoder):
            number("blocks of a level", blocks, 0, 16, whole=True)
        unit = self.patch * 2 ** (len(self.widths) - 1)
        if number("size", self.size, unit, 1024, whole=True) % unit:
            raise ValueError(f"size must be a multiple of {unit} for this network, got {self.size}")
        boolean("late", self.late)


class UNet(nn.Module):
    """``forward(z, log_snr, labels, rows)``: (B, C, S, S), (B,), (N,), (N,) to (N, C, S, S).

    Output n is of image ``rows[n]`` (None: n) under ``labels[n]``; the label ``num_classes`` is the null class ∅. With
    late conditioning the trunk runs once for each image, whatever the number of its labels.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        c, widths = config, config.widths
        self.log_snr_embedding = LogSNREmbedding(c.embedding)
        self.label_embedding = nn.Embedding(c.num_classes + 1, c.embedding)
        self.stem = nn.Conv2d(c.channels * c.patch**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.encoder = nn.ModuleList(
            nn.ModuleList(Block(w, c.embedding) for _ in range(n)) for w, n in zip(widths, c.encoder, strict=True)
        )
        self.decoder = nn.ModuleList(
            nn.ModuleList(Block(w, c.embedding) for _ in range(n)) for w, n in zip(widths, c.decoder, strict=True)
        )
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in itertools.pairwise(widths))
        self.merge = nn.ModuleList(nn.Conv2d(2 * w, w, 1) for w in widths[:-1])
        self.norm = nn.GroupNorm(widths[0] // 16, widths[0])
        self.out = nn.Conv2d(widths[0], c.channels * c.patch**2, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor | None = None) -> Tensor:
        noise = self.log_snr_embedding(log_snr)
        if not self.config.late and rows is not None:
            z, noise, rows = z[rows], noise[rows], None
        label = self.label_embedding(labels)
        features = self._trunk(z, F.silu(noise if self.config.late else noise + label))
        if rows is not None:
            features, noise = [f[rows] for f in features], noise[rows]
        return self._head(features, F.silu(noise + label))

    def _trunk(self, z: Tensor, embedding: Tensor) -> list[Tensor]:
        """(B, C, S, S) to one feature map a level, finest first."""
        h = self.stem(F.pixel_unshuffle(z, self.config.patch).contiguous(memory_format=torch.channels_last))
        features: list[Tensor] = []
        for level, blocks in enumerate(self.encoder):
            if level:
                h = self.down[level - 1](h)
            for block in blocks:  # type: ignore[attr-defined]
                h = block(h, embedding)
            features.append(h)
        return features

    def _head(self, features: list[Tensor], embedding: Tensor) -> Tensor:
        """One feature map a level to (N, C, S, S)."""
        h = features[-1]
        for level in reversed(range(len(features))):
            if level < len(features) - 1:
                up = F.interpolate(self.up[level](h), scale_factor=2.0, mode="nearest")
                h = self.merge[level](torch.cat([features[level], up], 1))
            for block in self.decoder[level]:  # type: ignore[attr-defined]
                h = block(h, embedding)
        return F.pixel_shuffle(self.out(F.silu(self.norm(h))), self.config.patch)
