"""From a GridRequest to samples, and from samples to the pixels of a grid."""

from itertools import product

import numpy as np
import torch
from torch import Tensor

from cfg_core.checks import choice
from cfg_core.data.pixels import check_finite, to_bytes
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.grids.request import GridRequest
from cfg_core.guidance.rules import rules
from cfg_core.sampling.loop import Job, begin, sample, spaced


def check_drawable(denoiser: Denoiser, request: GridRequest) -> GridRequest:
    """The request, if the denoiser supports its rule and its steps; otherwise raises ValueError, in one sentence."""
    choice("rule", request.rule, rules(denoiser))
    spaced(denoiser, request.sampler, request.steps, dict(request.parameters))
    return request


def begin_grid(denoiser: Denoiser, request: GridRequest, part: slice = slice(None)) -> Job:
    """The samples of a request at their first step, in the order (w, class, sample), or a part of them."""
    cells = list(product(request.w, request.classes, range(request.samples)))[part]
    w, labels, samples = zip(*cells, strict=True)
    return begin(
        denoiser,
        grid_noise(request.seed, samples, denoiser.shape, denoiser.device),
        torch.tensor(labels),
        torch.tensor(w, dtype=torch.float64),
        sampler=request.sampler,
        steps=request.steps,
        rule=request.rule,
        parameters=dict(request.parameters),
    )


def pixels(request: GridRequest, x: Tensor) -> np.ndarray:
    """Images (N, C, S, S) in [−1, 1], in the order of ``begin_grid``, as (w, class, sample, S, S, C) uint8.

    Raises ValueError where one is not finite.
    """
    layout = len(request.w), len(request.classes), request.samples
    return to_bytes(check_finite(x)).permute(0, 2, 3, 1).reshape(*layout, *x.shape[2:], x.shape[1]).cpu().numpy()


def draw_grid(denoiser: Denoiser, request: GridRequest) -> np.ndarray:
    """The finished images of a request (w, class, sample, S, S, C) uint8, drawn in one batch."""
    return pixels(request, denoiser.pictures(sample(denoiser, begin_grid(denoiser, request))))
