"""A prediction for noisy samples z = αx + σε, as x, ε, v or score."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from cfg_core.diffusion.schedule import alpha_sigma, per_sample


@dataclass(frozen=True)
class Prediction:
    """The prediction for N noisy samples: x (N, …) and ε (N, …) at log_snr (N,); log_snr is on the CPU.

    parts: the predictions that a guided one was combined from, by name ("conditional", "unconditional"); where a rule
    did not need one of them for a sample, it repeats the other one there.
    """

    log_snr: Tensor
    x: Tensor
    eps: Tensor
    parts: Mapping[str, "Prediction"] = field(default_factory=dict)

    @classmethod
    def from_v(cls, z: Tensor, log_snr: Tensor, v: Tensor) -> "Prediction":
        """v = αε − σx, so x = αz − σv and ε = σz + αv (Salimans & Ho, arXiv 2202.00512, appendix D)."""
        alpha, sigma = (per_sample(c, z) for c in alpha_sigma(log_snr.double()))
        return cls(log_snr, alpha * z - sigma * v, sigma * z + alpha * v)

    @classmethod
    def from_eps(cls, z: Tensor, log_snr: Tensor, eps: Tensor) -> "Prediction":
        """x = (z − σε)/α."""
        alpha, sigma = (per_sample(c, z) for c in alpha_sigma(log_snr.double()))
        return cls(log_snr, (z - sigma * eps) / alpha, eps)

    @classmethod
    def from_x(cls, z: Tensor, log_snr: Tensor, x: Tensor) -> "Prediction":
        """ε = (z − αx)/σ."""
        alpha, sigma = (per_sample(c, z) for c in alpha_sigma(log_snr.double()))
        return cls(log_snr, x, (z - alpha * x) / sigma)

    def moved(self, delta: Tensor) -> "Prediction":
        """The prediction of x + δ for the same z, δ (N, …): its ε is ε − (α/σ) δ. Without parts."""
        odds = per_sample((self.log_snr.double() / 2).exp(), self.x)  # α/σ
        return Prediction(self.log_snr, self.x + delta, self.eps - odds * delta)

    @property
    def v(self) -> Tensor:
        alpha, sigma = (per_sample(c, self.x) for c in alpha_sigma(self.log_snr.double()))
        return alpha * self.eps - sigma * self.x

    @property
    def score(self) -> Tensor:
        """∇_z log p(z_λ) = −ε/σ."""
        return -self.eps / per_sample(alpha_sigma(self.log_snr.double())[1], self.eps)

    def __getitem__(self, rows: slice | Tensor) -> "Prediction":
        """The prediction for some of the samples, with its parts; a slice copies nothing."""
        parts = {name: part[rows] for name, part in self.parts.items()}
        return Prediction(self.log_snr[rows], self.x[rows], self.eps[rows], parts)
