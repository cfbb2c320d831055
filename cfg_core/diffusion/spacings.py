"""Spacings: the T log-SNRs at which a sampler evaluates the denoiser."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cfg_core.checks import number
from cfg_core.diffusion.schedule import DiscreteSchedule, NoiseSchedule
from cfg_core.parameters import Parameter


def uniform(schedule: NoiseSchedule, steps: int) -> Tensor:
    """The paper's spacing: uniform in u, both end points included; a single step is at the noisy one."""
    return schedule.log_snr(torch.linspace(1, 0, steps, dtype=torch.float64))


def midpoint(schedule: NoiseSchedule, steps: int) -> Tensor:
    """Uniform in u, each λ in the middle of its interval: few-step multistep solvers need it (docs/sampling.md)."""
    return schedule.log_snr(1 - (torch.arange(steps, dtype=torch.float64) + 0.5) / steps)


RHO = Parameter("rho", "ρ", 1.0, 20.0, 7.0, 0.5, "how much of the steps EDM's spacing gives to the clean end")


def edm(schedule: NoiseSchedule, steps: int, rho: float = RHO.default) -> Tensor:
    """Karras et al. 2022 (arXiv 2206.00364), eq. 5, for i = 0 … T − 1:

        σ_E(i) = (σ_max^{1/ρ} + i/(T − 1) (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ, where σ_E = σ/α = e^{−λ/2}

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
    log_snrs = _timesteps(schedule)
    count = len(log_snrs)
    return log_snrs[(count - torch.arange(steps, dtype=torch.float64) * count / steps).round().long() - 1]


def leading(schedule: NoiseSchedule, steps: int) -> Tensor:
    """Every ⌊N/T⌋-th timestep of a discrete schedule, counted from the cleanest, as DDPM's code and DiT's have it.

    A single step would be at the cleanest, where pure noise cannot be denoised; here it is at the noisiest instead.
    """
    log_snrs = _timesteps(schedule)
    if steps == 1:
        return log_snrs[-1:]
    timesteps = torch.arange(steps).flip(0) * (len(log_snrs) // steps) + getattr(schedule, "offset", 0)
    return log_snrs[timesteps.clamp(max=len(log_snrs) - 1)]


def _timesteps(schedule: NoiseSchedule) -> Tensor:
    """The λ of a discrete schedule. Raises ValueError for another."""
    if not isinstance(schedule, DiscreteSchedule):
        raise ValueError(f"this spacing needs a DiscreteSchedule, got {schedule!r}")
    return schedule.log_snrs


@dataclass(frozen=True)
class Spacing:
    """``spacing(schedule, T, **values of its parameters)`` → λ_1 < … < λ_T (T,), float64.

    Raises ValueError, in one sentence, for steps below 1 or more than the schedule has λ for.
    """

    log_snrs: Callable[..., Tensor]
    parameters: tuple[Parameter, ...] = ()

    def __call__(self, schedule: NoiseSchedule, steps: int, **values: float) -> Tensor:
        number("steps", steps, 1, 10_000, whole=True)
        if isinstance(schedule, DiscreteSchedule) and steps > len(schedule.log_snrs):
            raise ValueError(f"steps must be at most the model's {len(schedule.log_snrs)} timesteps, got {steps}")
        log_snrs = self.log_snrs(schedule, steps, **values)
        if not _increasing(log_snrs):
            most = next(n for n in range(steps - 1, 0, -1) if _increasing(self.log_snrs(schedule, n, **values)))
            raise ValueError(f"steps must be at most {most}, with more this spacing repeats a λ, got {steps}")
        return log_snrs


def _increasing(log_snrs: Tensor) -> bool:
    return bool((log_snrs.diff() > 0).all())


SPACINGS: dict[str, Spacing] = {
    "uniform": Spacing(uniform),
    "midpoint": Spacing(midpoint),
    "edm": Spacing(edm, (RHO,)),
    "trailing": Spacing(trailing),
    "leading": Spacing(leading),
}
"""Name → spacing."""
