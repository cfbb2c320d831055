"""Log-SNR, the only notion of time (paper, section 2).

``z = αx + σε`` with ``α² = sigmoid(λ)`` and ``σ² = sigmoid(−λ)``: λ = −20 is pure noise, λ = 20 is the clean sample.
Everything here is float64 on the CPU, since some devices have no float64; ``per_sample`` moves coefficients to the
device of the samples that they multiply.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


def alpha_sigma(log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """λ, any shape, to (α, σ) of the variance-preserving process; α² + σ² = 1, in λ's own dtype."""
    # sigmoid(±λ)^½, but torch's sigmoid rounds an element depending on its position in the tensor; exp does not.
    return (1 + (-log_snr).exp()).rsqrt(), (1 + log_snr.exp()).rsqrt()


def per_sample(coefficient: Tensor, z: Tensor) -> Tensor:
    """A coefficient (B,) in z's dtype and on its device, shaped to multiply z (B, …)."""
    return coefficient.to(z.dtype).to(z.device).reshape(-1, *[1] * (z.ndim - 1))


def inner_product(a: Tensor, b: Tensor) -> Tensor:
    """⟨a, b⟩ of each sample, shaped to multiply it: (B, …) to (B, 1, …)."""
    return per_sample((a * b).flatten(1).sum(1), a)


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
    """The protocol of a schedule: a decreasing map from u in [0, 1] to λ, and the ends of its range."""

    @property
    def log_snr_min(self) -> float: ...
    @property
    def log_snr_max(self) -> float: ...
    def log_snr(self, u: Tensor) -> Tensor: ...
