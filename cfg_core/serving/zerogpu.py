"""A GPU that is lent for one call at a time, as ZeroGPU does: one call draws a whole strip, by the loop that draws all.

The call runs in a process of its own, forked for it, so it loads what it needs and brings back nothing but pictures.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np

from cfg_core.checkpoints.catalog import ModelInfo
from cfg_core.devices import choose_device
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.registry import load_model

SECONDS = 60
"""What a call asks for; a shorter one waits less in ZeroGPU's queue, and one that takes longer is ended."""


GpuDraw = Callable[[ModelInfo, Sequence[GridRequest]], list[np.ndarray]]


def is_zerogpu() -> bool:
    """Whether this machine lends its GPU."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "true")


def draw_on_gpu(offered: ModelInfo, requests: Sequence[GridRequest]) -> list[np.ndarray]:
    """The finished pictures of each request."""
    denoiser = load_model(offered, choose_device()).checkpoint.denoiser
    return [draw_grid(denoiser, request) for request in requests]


def gpu_draw() -> GpuDraw:
    """``draw`` as it must be called here: with a GPU where one is lent, unchanged everywhere else."""
    try:
        import spaces
    except ImportError:
        return draw_on_gpu
    return spaces.GPU(duration=SECONDS)(draw_on_gpu)
