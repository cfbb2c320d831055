"""Grids of a remote GPU: on a ZeroGPU Space, a GPU is available for one call at a time, which draws a whole strip.

The call runs in a process of its own, forked for it, so it loads the model itself and returns only pixels.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np

from cfg_core.checkpoints.catalog import ModelInfo
from cfg_core.devices import choose_device
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.registry import load_model

CALL_SECONDS = 60
"""GPU time that a call asks for; a shorter call waits less in ZeroGPU's queue, and one that takes longer is ended."""


GpuDraw = Callable[[ModelInfo, Sequence[GridRequest]], list[np.ndarray]]


def is_zerogpu() -> bool:
    """Whether this is a ZeroGPU Space."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "true")


def draw_on_gpu(info: ModelInfo, requests: Sequence[GridRequest]) -> list[np.ndarray]:
    """The finished grid (w, class, sample, S, S, C) uint8 of each request, all of that model."""
    denoiser = load_model(info, choose_device()).checkpoint.denoiser
    return [draw_grid(denoiser, request) for request in requests]


def gpu_draw() -> GpuDraw:
    """``draw_on_gpu``, with a GPU allocated for the call on a ZeroGPU Space, and unchanged everywhere else."""
    try:
        import spaces
    except ImportError:
        return draw_on_gpu
    return spaces.GPU(duration=CALL_SECONDS)(draw_on_gpu)
