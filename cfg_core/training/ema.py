"""Exponential moving averages of the weights, each as wide as a share of the run (Karras et al., arXiv 2312.02696)."""

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
import torch
from torch import Tensor

Averages = dict[float, dict[str, Tensor]]
"""Relative width → the averaged weights by their names."""


def ema_decay(relative_width: float, step: int) -> float:
    """The decay β of step 1, 2, …: β = (1 − 1/(step + 1))^(γ + 1), with γ from the relative width (eq. 121 to 127).

    relative_width: the standard deviation of the average's profile as a share of the run so far, 0.01 to 0.28.
    """
    return float((1 - 1 / (step + 1)) ** (_gamma(relative_width) + 1))


@cache
def _gamma(relative_width: float) -> float:
    t = relative_width**-2
    return float(max(np.roots([1, 7, 16 - t, 12 - t]).real))


def shares(widths: Iterable[float], step: int) -> Tensor:
    """1 − β of each width after step 1, 2, …: (E,), what the weights of that step count."""
    return torch.tensor([1 - ema_decay(width, step) for width in widths])


def begin_averages(weights: Mapping[str, Tensor], widths: Iterable[float]) -> Averages:
    """A copy of the weights for each relative width."""
    return {width: {name: t.detach().clone() for name, t in weights.items()} for width in widths}


@torch.no_grad()
def update_averages(averages: Averages, weights: Mapping[str, Tensor], shares: Tensor) -> None:
    """θ̄ ← θ̄ + (1 − β)(θ − θ̄) in place, for each width. shares: 1 − β of each (E,), on the device of the weights."""
    for average, share in zip(averages.values(), shares, strict=True):
        now = [weights[name] for name in average]
        if share.device.type == "cpu":
            torch._foreach_lerp_(list(average.values()), now, share.item())
        else:
            interpolate(list(average.values()), now, share)


def interpolate(tensors: list[Tensor], ends: list[Tensor], share: Tensor) -> None:
    """Each tensor a 0-dimensional share of the way to its end, in place, without waiting for the share's device."""
    ways = torch._foreach_sub(ends, tensors)
    torch._foreach_mul_(ways, share)
    torch._foreach_add_(tensors, ways)
