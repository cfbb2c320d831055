"""Langevin correction: steps of Langevin dynamics at every noise level, before each step of any sampler.

The predictor–corrector of Song et al. (arXiv 2011.13456, Algorithm 1). At each λ, guidance gives the score of
p(z_λ|c) p(c|z_λ)^w; but these densities are not the marginals of one diffusion of p(x|c) p(c|x)^w, so a sampler that
only steps from λ to λ draws from none of them. Steps at a fixed λ along that score converge to the density of that λ
(Bradley & Nakkiran, arXiv 2408.09000).
"""

import math
from dataclasses import replace

from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import alpha_sigma, per_sample
from cfg_core.sampling.samplers import Sampler, State

STEP = 0.25
"""Size of a Langevin step over σ². On the 2-D lab's mixtures, 0.05 to 0.4 are stable up to w = 8 (docs/toy2d.md)."""


def langevin(z: Tensor, prediction: Prediction, noise: Tensor) -> Tensor:
    """z' = z + δ ∇log p(z_λ) + √(2δ) n with δ = STEP · σ², all (B, …): the score is −ε/σ."""
    sigma = per_sample(alpha_sigma(prediction.log_snr.double())[1], z)
    return z - STEP * sigma * prediction.eps + math.sqrt(2 * STEP) * sigma * noise


def corrected(sampler: Sampler, corrections: int) -> Sampler:
    """The sampler with ``corrections`` Langevin steps, one evaluation each, before each of its own steps.

    They are made between its steps, never within one, and discard the sampler's memory of the previous step, which
    belongs to another z.
    """

    def unwrapped(state: State) -> tuple[State, int]:
        """The state as the sampler takes it, and the number of Langevin steps left before its next."""
        own, left = state.memory or (None, corrections)
        return replace(state, memory=own), left

    def between(state: State) -> bool:
        return sampler.between(unwrapped(state)[0])

    def advance(state: State, prediction: Prediction) -> State:
        inner, left = unwrapped(state)
        if left and sampler.between(inner):
            noise = state.noise(len(state.log_snrs) + state.evaluations)  # the sampler itself takes 0 … T − 1
            z = langevin(state.z, prediction, noise)
            return replace(state, z=z, x=prediction.x, evaluations=state.evaluations + 1, memory=(None, left - 1))
        moved = sampler.advance(inner, prediction)
        return replace(moved, memory=(moved.memory, corrections))

    def evaluations(steps: int) -> int:
        return sampler.evaluations(steps) + corrections * steps

    if not corrections:
        return sampler
    return replace(sampler, advance=advance, evaluations=evaluations, between=between)
