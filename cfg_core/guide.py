"""The noise-aware classifier p(c | z_λ) that guides (Dhariwal & Nguyen, arXiv 2105.05233; the paper's section 3.1).

It never grades: samples are judged by the classifier of clean pictures, a different network (cfg_core.judge).
"""

import itertools
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core import checkpoints
from cfg_core.judge import Architecture, ClassifierConfig, check_match
from cfg_core.unet import Block, LogSNREmbedding


class GuideNetwork(nn.Module):
    """``forward(z, log_snr)``: (B, C, S, S), (B,) to class logits (B, K).

    Squares of 2×2 pixels become channels; at each resolution one of the U-Net's residual blocks, which hears of λ; the
    mean over the places, two linear layers.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a, widths = architecture, architecture.widths
        self.log_snr_embedding = LogSNREmbedding(a.features)
        self.stem = nn.Conv2d(4 * a.channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(Block(width, a.features) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(x, y, 3, stride=2, padding=1) for x, y in itertools.pairwise(widths))
        self.penultimate = nn.Linear(widths[-1], a.features)
        self.head = nn.Linear(a.features, a.num_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: Tensor, log_snr: Tensor) -> Tensor:
        noise = F.silu(self.log_snr_embedding(log_snr))
        h = self.stem(F.pixel_unshuffle(z, 2).contiguous(memory_format=torch.channels_last))
        for level, block in enumerate(self.blocks):
            h = block(self.down[level - 1](h) if level else h, noise)
        return self.head(F.silu(self.penultimate(h.mean((2, 3)))))


def equip(checkpoint: checkpoints.Checkpoint, where: str | Path) -> str:
    """Give a checkpoint's denoiser the classifier that guides it, from a folder or from the Hub; returns its hash.

    Raises CheckpointError as ``checkpoints.load`` does, and ValueError for a classifier of other pictures, other
    classes or another range of λ.
    """
    config, network, digest = checkpoints.read(
        where, ClassifierConfig.from_json, lambda c: GuideNetwork(c.architecture)
    )
    check_match(config, checkpoint)
    if config.schedule != checkpoint.config.schedule:
        raise ValueError(f"classifier must be of the checkpoint's {checkpoint.config.schedule}, got {config.schedule}")
    denoiser = checkpoint.denoiser
    denoiser.classifier = network.to(denoiser.device).eval().requires_grad_(False)
    return digest
