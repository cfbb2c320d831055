"""A convolutional classifier of noisy images, p(c | z_λ)."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.networks.blocks import Block, LogSNREmbedding
from cfg_core.networks.classifier import ClassifierArchitecture
from cfg_core.networks.linear import Linear


class NoiseAwareClassifierNetwork(nn.Module):
    """``forward(z, log_snr)``: (B, C, S, S), (B,) to class logits (B, K). Raises ValueError for widths that are no
    multiples of 16.

    Squares of 2×2 pixels become channels; at each resolution one of the U-Net's residual blocks, modulated by λ; the
    mean over the positions, two linear layers.
    """

    def __init__(self, architecture: ClassifierArchitecture) -> None:
        super().__init__()
        a, widths = architecture, architecture.widths
        if any(width < 16 or width % (width // 16) for width in widths):  # groups of a GroupNorm
            raise ValueError(f"widths of a noise-aware classifier must be multiples of 16, got {widths}")
        self.log_snr_embedding = LogSNREmbedding(a.features)
        self.stem = nn.Conv2d(4 * a.channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(Block(width, a.features) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(x, y, 3, stride=2, padding=1) for x, y in itertools.pairwise(widths))
        self.penultimate = Linear(widths[-1], a.features)
        self.head = Linear(a.features, a.num_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: Tensor, log_snr: Tensor) -> Tensor:
        noise = F.silu(self.log_snr_embedding(log_snr))
        h = self.stem(F.pixel_unshuffle(z, 2).contiguous(memory_format=torch.channels_last))
        for level, block in enumerate(self.blocks):
            h = block(self.down[level - 1](h) if level else h, noise)
        return self.head(F.silu(self.penultimate(h.mean((2, 3)))))
