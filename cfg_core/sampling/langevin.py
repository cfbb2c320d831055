"""Langevin correction: any sampler, with steps of Langevin dynamics at every noise level before it goes on.

The predictor–corrector of Song et al. (arXiv 2011.13456, Algorithm 1). At each λ, guidance hands out the score of
p(z_λ|c) p(c|z_λ)^w; but these densities, λ by λ, are not what one diffusion makes of p(x|c) p(c|x)^w, so a sampler
that only goes from one to the next draws from none of them. Steps at a fixed λ along that same score do lead to the
density of that λ (Bradley & Nakkiran, arXiv 2408.09000).
"""

import math
from dataclasses import replace

from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import alpha_sigma, per_sample
from cfg_core.sampling.samplers import Sampler, State

STEP = 0.25
"""Size of a Langevin step over σ². On the 2-D lab's mixtures, 0.05 to 0.4 are stable up to w = 8 (docs/toy2d.md)."""


def langevin(z: Tensor, prediction: Prediction, noise: Tensor, step: float = STEP) -> Tensor:
    """z' = z + δ ∇log p(z_λ) + √(2δ) n with δ = step · σ², all (B, …): the score is −ε/σ."""
    sigma = per_sample(alpha_sigma(prediction.log_snr.double())[1], z)
    return z - step * sigma * prediction.eps + math.sqrt(2 * step) * sigma * noise


def corrected(sampler: Sampler, corrections: int) -> Sampler:
    """The sampler with so many Langevin steps before each of its own, every one of them an evaluation.

    They fall between its steps, never within one, and the sampler's memory of the step before is dropped: z has left
    the path that it belongs to.
    """

    def unwrapped(state: State) -> tuple[State, int]:
        """The state as the sampler knows it, and how many Langevin steps are left before its next."""
        own, left = state.memory or (None, corrections)
        return replace(state, memory=own), left

    def between(state: State) -> bool:
        return sampler.between(unwrapped(state)[0])

    def advance(state: State, prediction: Prediction) -> State:
        inner, left = unwrapped(state)
        if left and sampler.between(inner):
            noise = state.noise(len(state.log_snrs) + state.evaluations)  # the sampler itself asks for 0 … T − 1
            z = langevin(state.z, prediction, noise)
            return replace(state, z=z, x=prediction.x, evaluations=state.evaluations + 1, memory=(None, left - 1))
        moved = sampler.advance(inner, prediction)
        return replace(moved, memory=(moved.memory, corrections))

    def evaluations(steps: int) -> int:
        return sampler.evaluations(steps) + corrections * steps

    if not corrections:
        return sampler
    return replace(sampler, advance=advance, evaluations=evaluations, between=between)
