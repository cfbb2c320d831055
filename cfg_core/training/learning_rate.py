"""The learning rate of a step: a linear warm-up, then one of several decays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cfg_core.training.options import Options

WARM_UP_IMAGES = 10_000


DECAYS: dict[str, Callable[[float], float]] = {
    "cosine": lambda share: float(0.5 + 0.5 * np.cos(np.pi * share)),
    "linear": lambda share: 1 - share,
    "constant": lambda share: 1.0,
    "stable": lambda share: min(1.0, (1 - share) / 0.4),
}
"""The share of the run that is done, in [0, 1] → the factor of the learning rate. ``stable`` is constant for 60 % of
the run and then linear to 0 (the warm-up, stable, decay schedule of Hu et al., arXiv 2404.06395)."""


def learning_rate(options: Options, step: int) -> float:
    """Of step 0, 1, …: the peak of the options, times min(1, images / 10,000), times the decay."""
    warm_up = min(1.0, (step + 1) * options.batch / WARM_UP_IMAGES)
    return options.learning_rate * warm_up * DECAYS[options.decay](min(1, step / options.steps))
