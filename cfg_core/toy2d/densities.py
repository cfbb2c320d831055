"""The densities that the 2-D lab can display, and their values on a square grid."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cfg_core.diffusion.mixture import MixtureDenoiser

Array = NDArray[np.float64]

LogDensity = Callable[[MixtureDenoiser, Tensor, Tensor, int, float], Tensor]
"""(mixture, z (N, 2), log_snr (N,), label, w) → the logarithm of a density at z, (N,), up to a constant."""


def _tilted(mixture: MixtureDenoiser, z: Tensor, log_snr: Tensor, label: int, w: float) -> Tensor:
    return mixture.log_tilted(z, torch.full((len(z),), label), w, log_snr)


def _of_class(mixture: MixtureDenoiser, z: Tensor, log_snr: Tensor, label: int, w: float) -> Tensor:
    return mixture.log_density(z, log_snr, torch.full((len(z),), label))


def _of_all(mixture: MixtureDenoiser, z: Tensor, log_snr: Tensor, label: int, w: float) -> Tensor:
    return mixture.log_density(z, log_snr, torch.full((len(z),), mixture.null_label))


DENSITIES: dict[str, LogDensity] = {"tilted": _tilted, "class": _of_class, "all": _of_all}
"""p(z_λ|c) p(c|z_λ)^w, p(z_λ|c) and p(z_λ), by their names in a scene."""


def square_grid(half: float, cells: int) -> Tensor:
    """Points of [−half, half]², ``cells`` a side and the corners included: (cells², 2), x fastest."""
    axis = torch.linspace(-half, half, cells, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1)


def density_on_grid(
    mixture: MixtureDenoiser, density: str, label: int, w: float, log_snr: float, half: float, cells: int
) -> Array:
    """One of DENSITIES on ``square_grid``, scaled to the maximum 1: (cells, cells), a row for each y.

    log_snr: ∞ is the clean end.
    """
    z = square_grid(half, cells)
    log_snrs = torch.full((len(z),), log_snr, dtype=torch.float64)
    log_density = DENSITIES[density](mixture, z, log_snrs, label, w)
    return (log_density - log_density.max()).exp().reshape(cells, cells).numpy()
