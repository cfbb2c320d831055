"""Exponential moving averages of the weights, each as wide as a share of the run (Karras et al., arXiv 2312.02696)."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

Averages = dict[float, dict[str, Tensor]]
"""Relative width → the averaged weights by their names."""


def ema_decay(relative_width: float, step: int) -> float:
    """The decay β of step 1, 2, …: β = (1 − 1/(step + 1))^(γ + 1), with γ from the relative width (eq. 121 to 127).

    relative_width: the standard deviation of the average's profile as a share of the run so far, 0.01 to 0.28.
    """
    t = relative_width**-2
    gamma = max(np.roots([1, 7, 16 - t, 12 - t]).real)
    return float((1 - 1 / (step + 1)) ** (gamma + 1))


def begin_averages(weights: Mapping[str, Tensor], widths: Iterable[float]) -> Averages:
    """A copy of the weights for each relative width."""
    return {width: {name: t.detach().clone() for name, t in weights.items()} for width in widths}


def update_averages(averages: Averages, weights: Mapping[str, Tensor], step: int) -> None:
    """θ̄ ← β θ̄ + (1 − β) θ in place, for each width, after step 1, 2, …"""
    for width, average in averages.items():
        decay = ema_decay(width, step)
        torch._foreach_lerp_(list(average.values()), [weights[name] for name in average], 1 - decay)
