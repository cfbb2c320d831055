"""Pixels: bytes to [−1, 1] and back, random mirroring and shifting."""

import torch
from torch import Tensor
from torch.nn import functional as F


def mirrored(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Images (N, C, S, S), each of them flipped left to right with that probability, 0 to 1."""
    chosen = torch.rand(len(images), generator=generator) < probability
    return torch.where(chosen[:, None, None, None], images.flip(3), images)


def shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Images (N, C, S, S), all moved by the same −most … most pixels along each side, reflected at the border."""
    if not most:
        return images
    down, right = torch.randint(2 * most + 1, (2,), generator=generator).tolist()
    size = images.shape[-1]
    padded = F.pad(images.float(), [most] * 4, mode="reflect").to(images.dtype)
    return padded[..., down : down + size, right : right + size]


def to_unit(images: Tensor) -> Tensor:
    """uint8 images to float32 in [−1, 1]."""
    return images.float() / 127.5 - 1


def to_bytes(x: Tensor) -> Tensor:
    """Finite samples in [−1, 1] to uint8 images, clipped and rounded; the inverse of ``to_unit``."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def check_samples(x: Tensor) -> Tensor:
    """The samples, if all values are finite; otherwise raises ValueError, for as bytes they would be black."""
    if not bool(x.isfinite().all()):
        raise ValueError(
            f"samples must be finite, got {int((~x.isfinite()).sum()):,} of {x.numel():,} values that are not"
        )
    return x
