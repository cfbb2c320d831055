"""A GPU that is lent for one call at a time, as ZeroGPU does: one call draws a whole strip, by the loop that draws all.

The call runs in a process of its own, forked for it, so it loads what it needs and brings back nothing but pictures.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np

from cfg_core import checkpoints, models
from cfg_core.grid import draw_grid
from cfg_core.models import Offer
from cfg_core.request import GridRequest

SECONDS = 60
"""What a call asks for; a shorter one waits less in ZeroGPU's queue, and one that takes longer is ended."""

Draw = Callable[[Offer, Sequence[GridRequest]], list[np.ndarray]]


def here() -> bool:
    """Whether this machine lends its GPU."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "true")


def draw(offered: Offer, requests: Sequence[GridRequest]) -> list[np.ndarray]:
    """The finished pictures of each request."""
    denoiser = models.load(offered, checkpoints.device()).checkpoint.denoiser
    return [draw_grid(denoiser, request) for request in requests]


def drawer() -> Draw:
    """``draw`` as it must be called here: with a GPU where one is lent, unchanged everywhere else."""
    try:
        import spaces
    except ImportError:
        return draw
    return spaces.GPU(duration=SECONDS)(draw)
