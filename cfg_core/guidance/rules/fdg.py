"""Guidance of another strength for each band of frequencies (Sadat et al., arXiv 2506.19713), on two levels."""

import torch
from torch import Tensor
from torch.nn import functional as F

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import per_sample
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Paper, Results, Rule
from cfg_core.guidance.rules.classifier_free import needs_conditional_always
from cfg_core.parameters import Parameter, Values

LOW = Parameter(
    "low_frequencies", "ω", 0.0, 1.0, 0.5, 0.05, "share of w for the low frequencies: 1 is classifier-free guidance"
)
"""By default 0.5: the authors take scales of 5 and 10."""


def _smoothed(images: Tensor) -> Tensor:
    """(B, C, H, W), each channel under the binomial window (1, 4, 6, 4, 1)/16 along both axes, mirrored at the rim."""
    window = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).to(images) / 16
    channels = images.flatten(0, 1)[:, None]
    padded = F.pad(channels, (2, 2, 2, 2), mode="reflect")
    return F.conv2d(F.conv2d(padded, window.view(1, 1, 1, 5)), window.view(1, 1, 5, 1)).view_as(images)


def _low(images: Tensor) -> Tensor:
    """The lower level of a Laplacian pyramid of two, at the images' size: smoothed, halved, doubled and smoothed."""
    size = images.shape[-2:]
    halved = F.interpolate(
        _smoothed(images), size=[-(-each // 2) for each in size], mode="bilinear", align_corners=False
    )
    return _smoothed(F.interpolate(halved, size=size, mode="bilinear", align_corners=False))


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Sadat et al., Algorithm 2, with Δ = x(z, c) − x(z) and its two levels, Δ_low and Δ − Δ_low:

    x̃ = x(z, c) + ω w Δ_low + w (Δ − Δ_low)
    """
    conditional, unconditional = results[CONDITIONAL], results[UNCONDITIONAL]
    difference = conditional.x - unconditional.x
    banded = difference - (1 - values["low_frequencies"]) * _low(difference)
    guided = conditional.moved(per_sample(w, difference) * banded)
    parts = {"conditional": conditional, "unconditional": unconditional}
    return Prediction(guided.log_snr, guided.x, guided.eps, parts), memory


FDG = Rule(
    "Frequency-decoupled guidance",
    "x(z, c) + ω w Δ_low + w (Δ − Δ_low), Δ = x(z, c) − x(z)",
    "detail without over-saturation, for low frequencies set the composition and suffer first",
    Paper("Sadat et al. 2025", "2506.19713"),
    needs_conditional_always,
    _combine,
    parameters=(LOW,),
    as_cfg={"low_frequencies": 1.0},
    applies=lambda denoiser: min(denoiser.shape[1:], default=0) >= 3,  # what is mirrored at the rim
)

RULES = {"fdg": FDG}
