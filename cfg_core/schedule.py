"""Log-SNR, the only notion of time (paper, section 2).

``z = αx + σε`` with ``α² = sigmoid(λ)`` and ``σ² = sigmoid(−λ)``: λ = −20 is pure noise, λ = 20 is the clean sample.
Everything here is float64 and on the CPU, for not every device has float64; ``per_sample`` takes coefficients to the
samples that they multiply.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


def alpha_sigma(log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """λ, any shape, to (α, σ) of the variance-preserving process; α² + σ² = 1, in λ's own dtype."""
    # sigmoid(±λ)^½, but torch's sigmoid rounds an element differently by its place in the tensor; exp does not.
    return (1 + (-log_snr).exp()).rsqrt(), (1 + log_snr.exp()).rsqrt()


def per_sample(coefficient: Tensor, z: Tensor) -> Tensor:
    """A coefficient (B,) in z's dtype and on its device, shaped to multiply z (B, …)."""
    return coefficient.to(z.dtype).to(z.device).reshape(-1, *[1] * (z.ndim - 1))


@dataclass(frozen=True)
class Schedule:
    """The paper's λ = −2 log tan(au + b): u = 0 is the clean end λmax, u = 1 the noisy end λmin.

    Raises ValueError unless λmin < λmax and both are finite.
    """

    log_snr_min: float = -20.0
    log_snr_max: float = 20.0

    def __post_init__(self) -> None:
        if not -math.inf < self.log_snr_min < self.log_snr_max < math.inf:
            raise ValueError(
                f"log_snr_min must be finite and below log_snr_max, got {self.log_snr_min} and {self.log_snr_max}"
            )

    @property
    def _b(self) -> float:
        return math.atan(math.exp(-self.log_snr_max / 2))

    @property
    def _a(self) -> float:
        return math.atan(math.exp(-self.log_snr_min / 2)) - self._b

    def log_snr(self, u: Tensor) -> Tensor:
        """u in [0, 1], any shape, to λ in [λmin, λmax], float64."""
        return -2 * torch.tan(self._a * u.double() + self._b).log()

    def u(self, log_snr: Tensor) -> Tensor:
        """The inverse of ``log_snr``: λ to u, float64."""
        return (torch.atan(torch.exp(-log_snr.double() / 2)) - self._b) / self._a


class DiscreteSchedule:
    """The noise levels of a model that was trained on N discrete timesteps.

    ``betas`` (N,), each in (0, 1): the usual table, so that ``ᾱ_t = Π (1 − β_s)`` and ``λ_t = log ᾱ_t/(1 − ᾱ_t)``.
    offset: what the leading spacing adds to its timesteps.
    """

    def __init__(self, betas: Sequence[float] | Tensor, offset: int = 0) -> None:
        self.offset = offset
        log_alpha_bar = torch.log1p(-torch.as_tensor(betas, dtype=torch.float64)).cumsum(0)
        self.log_snrs: Tensor = log_alpha_bar - torch.log(-torch.expm1(log_alpha_bar))

    @property
    def log_snr_min(self) -> float:
        """λ of the noisiest timestep."""
        return float(self.log_snrs[-1])

    @property
    def log_snr_max(self) -> float:
        """λ of the cleanest timestep."""
        return float(self.log_snrs[0])

    def log_snr(self, u: Tensor) -> Tensor:
        """u in [0, 1] to the λ of the nearest timestep, float64."""
        return self.log_snrs[(u.double() * (len(self.log_snrs) - 1)).round().long()]

    def timestep(self, log_snr: Tensor) -> Tensor:
        """λ (B,) to the timestep whose λ is nearest, (B,) int64."""
        return (self.log_snrs - log_snr.double()[:, None]).abs().argmin(1)


class NoiseSchedule(Protocol):
    """What a spacing needs to know: a decreasing map from u in [0, 1] to λ, and its ends."""

    @property
    def log_snr_min(self) -> float: ...
    @property
    def log_snr_max(self) -> float: ...
    def log_snr(self, u: Tensor) -> Tensor: ...


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
