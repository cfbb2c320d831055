"""Parts that the U-Net and the noise-aware classifier are made of."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.networks.linear import Linear

FREQUENCIES = 16
"""Frequencies of the embedding of λ; each gives a sine and a cosine."""


class LogSNREmbedding(nn.Module):
    """λ (B,) to (B, embedding): sines and cosines of periods 4 to 160 in λ, then a small MLP."""

    frequencies: Tensor

    def __init__(self, embedding: int) -> None:
        super().__init__()
        periods = torch.logspace(math.log10(160), math.log10(4), FREQUENCIES)
        self.register_buffer("frequencies", 2 * math.pi / periods, persistent=False)
        self.mlp = nn.Sequential(Linear(2 * FREQUENCIES, embedding), nn.SiLU(), Linear(embedding, embedding))

    def forward(self, log_snr: Tensor) -> Tensor:
        angles = log_snr[:, None] * self.frequencies  # (B,) to (B, FREQUENCIES)
        return self.mlp(torch.cat([angles.sin(), angles.cos()], 1))


class Block(nn.Module):
    """A residual block of two 3×3 convolutions whose second normalisation is scaled and shifted by the embedding.

    ``forward(h, embedding)``: (B, width, S, S), (B, embedding) to (B, width, S, S); the identity when fresh.
    """

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(width // 16, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.modulation = Linear(embedding, 2 * width)
        self.norm2 = nn.GroupNorm(width // 16, width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, 1)  # 2 × (B, width, 1, 1)
        update = self.norm2(self.conv1(F.silu(self.norm1(h))))
        return h + self.conv2(F.silu(torch.addcmul(shift, update, 1 + scale)))
