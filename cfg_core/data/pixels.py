"""Pixels: bytes to [−1, 1] and back, random mirroring, shifting and cut-outs."""

import torch
from torch import Tensor
from torch.nn import functional as F


def mirrored(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Images (N, C, S, S), on the generator's device, each flipped left to right with that probability, 0 to 1."""
    chosen = torch.rand(len(images), generator=generator, device=generator.device) < probability
    return torch.where(chosen[:, None, None, None], images.flip(3), images)


def shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Images (N, C, S, S), each of them moved by −most … most pixels along each side, reflected at the border."""
    if not most:
        return images
    count, size = len(images), images.shape[-1]
    padded = F.pad(images.float(), [most] * 4, mode="reflect").to(images.dtype)
    first = torch.randint(2 * most + 1, (2, count, 1), generator=generator)
    rows, columns = first + torch.arange(size)  # (N, S) each
    every = torch.arange(count)[:, None, None]
    return padded[every, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cut_out(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """uint8 images (N, C, S, S), a square of that many pixels a side somewhere in each of them made mid-grey.

    DeVries & Taylor, arXiv 1708.04552. side: 0, for none, to S.
    """
    size = images.shape[-1]
    first = torch.randint(size - side + 1, (2, len(images), 1), generator=generator)
    rows, columns = (first <= torch.arange(size)) & (torch.arange(size) < first + side)  # (N, S) each
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 128)


def to_unit(images: Tensor) -> Tensor:
    """uint8 images to float32 in [−1, 1]."""
    return images.float() / 127.5 - 1


def to_bytes(x: Tensor) -> Tensor:
    """Samples in [−1, 1] to uint8 images, clipped and rounded; the inverse of ``to_unit``."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def check_finite(x: Tensor) -> Tensor:
    """The samples, if all of their values are finite; others would become black images. Waits for their device.

    Raises ValueError, in one sentence, otherwise.
    """
    if not bool(x.isfinite().all()):
        raise ValueError(
            f"samples must be finite, got {int((~x.isfinite()).sum()):,} of {x.numel():,} values that are not"
        )
    return x
