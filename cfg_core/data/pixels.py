"""Pixels: bytes to [−1, 1] and back, random mirroring and shifting."""

import torch
from torch import Tensor
from torch.nn import functional as F


def mirrored(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Pictures (N, C, S, S), each of them mirrored with that probability."""
    chosen = torch.rand(len(images), generator=generator) < probability
    return torch.where(chosen[:, None, None, None], images.flip(3), images)


def shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Pictures (N, C, S, S), all moved by the same −most … most pixels a side, mirrored at the border."""
    if not most:
        return images
    down, right = torch.randint(2 * most + 1, (2,), generator=generator).tolist()
    size = images.shape[-1]
    padded = F.pad(images.float(), [most] * 4, mode="reflect").to(images.dtype)
    return padded[..., down : down + size, right : right + size]


def to_unit(images: Tensor) -> Tensor:
    """uint8 pictures to float32 in [−1, 1]."""
    return images.float() / 127.5 - 1


def to_bytes(x: Tensor) -> Tensor:
    """Samples in [−1, 1] to uint8 images, clipped and rounded; the inverse of ``to_unit``.

    Raises ValueError for values that are not finite, which would otherwise become black.
    """
    if not x.is_meta and not bool(x.isfinite().all()):  # a meta tensor has no values
        raise ValueError(
            f"samples must be finite, got {int((~x.isfinite()).sum()):,} of {x.numel():,} values that are not"
        )
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
