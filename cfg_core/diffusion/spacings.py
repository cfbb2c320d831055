"""Spacings: at which T log-SNRs a sampler looks at the sample."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from cfg_core.diffusion.schedule import DiscreteSchedule, NoiseSchedule


def uniform(schedule: NoiseSchedule, steps: int) -> Tensor:
    """The paper's spacing: uniform in u, both end points included."""
    return schedule.log_snr(torch.linspace(1, 0, steps, dtype=torch.float64))


def midpoint(schedule: NoiseSchedule, steps: int) -> Tensor:
    """Uniform in u, each λ in the middle of its interval: few-step multistep solvers need it (docs/sampling.md)."""
    return schedule.log_snr(1 - (torch.arange(steps, dtype=torch.float64) + 0.5) / steps)


def edm(schedule: NoiseSchedule, steps: int, rho: float = 7.0) -> Tensor:
    """Karras et al. 2022 (arXiv 2206.00364), eq. 5: ``σ_E^{1/ρ}`` uniform, where ``σ_E = σ/α = e^{−λ/2}``.

    The range is λ's own, but at most theirs, σ_E from 80 to 0.002, where the two overlap.
    """
    noisy = max(schedule.log_snr_min, -2 * math.log(80.0))
    clean = min(schedule.log_snr_max, -2 * math.log(0.002))
    if noisy >= clean:
        noisy, clean = schedule.log_snr_min, schedule.log_snr_max
    ends = torch.tensor([noisy, clean], dtype=torch.float64)
    first, last = torch.exp(-ends / (2 * rho))
    return -2 * rho * torch.log(first + torch.linspace(0, 1, steps, dtype=torch.float64) * (last - first))


def trailing(schedule: NoiseSchedule, steps: int) -> Tensor:
    """Every N/T-th timestep of a discrete schedule, counted from the noisiest (Lin et al., arXiv 2305.08891)."""
    log_snrs = _timesteps(schedule, steps)
    count = len(log_snrs)
    return log_snrs[(count - torch.arange(steps, dtype=torch.float64) * count / steps).round().long() - 1]


def leading(schedule: NoiseSchedule, steps: int) -> Tensor:
    """Every ⌊N/T⌋-th timestep of a discrete schedule, counted from the cleanest, as DDPM's code and DiT's have it."""
    log_snrs = _timesteps(schedule, steps)
    timesteps = torch.arange(steps).flip(0) * (len(log_snrs) // steps) + getattr(schedule, "offset", 0)
    return log_snrs[timesteps.clamp(max=len(log_snrs) - 1)]


def _timesteps(schedule: NoiseSchedule, steps: int) -> Tensor:
    """The λ of a discrete schedule. Raises ValueError for another, and for more steps than it has timesteps."""
    if not isinstance(schedule, DiscreteSchedule):
        raise ValueError(f"this spacing needs a DiscreteSchedule, got {schedule!r}")
    if steps > len(schedule.log_snrs):
        raise ValueError(f"steps must be at most the model's {len(schedule.log_snrs)} timesteps, got {steps}")
    return schedule.log_snrs


Spacing = Callable[[NoiseSchedule, int], Tensor]


SPACINGS: dict[str, Spacing] = {
    "uniform": uniform,
    "midpoint": midpoint,
    "edm": edm,
    "trailing": trailing,
    "leading": leading,
}
"""name → (schedule, T) → λ_1 < … < λ_T, the noise levels at which T steps look at the sample, float64."""
