"""Feynman–Kac correction: weighted particles whose samples follow p(x|c) p(c|x)^w (Skreta et al., arXiv 2503.02819).

At each λ guidance gives the score s̃ of π_λ ∝ p(z_λ|c) p(c|z_λ)^w. Both p(z_λ|c) and p(z_λ) are densities of the
diffusion, and so with s = ∇ log p each obeys, towards the clean end and at unit variance,

    ∂ log p/∂λ = −σ² (D/2 + z·s/2 + (∇·s + ‖s‖²)/2).

log π_λ = (1 + w) log p(z_λ|c) − w log p(z_λ) does not: its derivative exceeds the same with s̃ for s by
½ σ² (‖s̃‖² − (1 + w) ‖s(z|c)‖² + w ‖s(z)‖²) = ½ σ² w (1 + w) ‖s(z|c) − s(z)‖², up to a number of λ alone. Samples that
follow s̃ through the reverse diffusion therefore carry a weight; with s = −ε/σ

    d log weight = ½ w (1 + w) ‖ε(z, c) − ε(z)‖² dλ,

of the two predictions that guidance makes anyway. Where weights have become unequal, particles are drawn anew in
proportion to them. Langevin steps between leave π_λ as it is, and part particles that were drawn twice.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.sampling.samplers import Sampler, State

THRESHOLD = 0.5
"""Particles are drawn anew where fewer than this share of them are effective, and at the end."""

NOISE = 2**20
"""The first step of the noise that decides which; samplers and Langevin steps take earlier ones."""


@dataclass(frozen=True)
class Particles:
    """The memory of N particles. own: the sampler's. at: index of the λ that was evaluated last. log_weights (N,),
    float64, since they were last drawn anew. rate (N,): d log weight/dλ at that λ. fewest: the smallest effective
    number so far."""

    own: Any
    at: int
    log_weights: Tensor
    rate: Tensor
    fewest: float


def effective_number(log_weights: Tensor) -> float:
    """(Σ weight)²/Σ weight² of log_weights (N,), from 1 to N: so many equal weights are worth as much."""
    weights = log_weights.softmax(0)
    return float(1 / (weights**2).sum())


def resampled(sampler: Sampler, w: float) -> Sampler:
    """The sampler with Feynman–Kac correction of classifier-free guidance of strength w.

    The B samples are one population, of one class and that w; the sampler must follow the reverse diffusion.
    """

    def between(state: State) -> bool:
        return sampler.between(replace(state, memory=_own(state)))

    def advance(state: State, prediction: Prediction) -> State:
        difference = prediction.parts["conditional"].eps - prediction.parts["unconditional"].eps
        rate = w * (1 + w) / 2 * (difference.double() ** 2).flatten(1).sum(1)
        inner, before = replace(state, memory=_own(state)), state.memory
        log_weights, fewest = torch.zeros_like(rate), float(len(rate))
        if before is not None:
            step = float(state.log_snrs[state.at] - state.log_snrs[before.at])  # 0 for a second evaluation at one λ
            log_weights = before.log_weights + step * (before.rate + rate) / 2
            fewest = min(before.fewest, effective_number(log_weights))
        last = state.at == len(state.log_snrs) - 1
        if last or effective_number(log_weights) < THRESHOLD * len(rate):
            rows = _drawn(log_weights, state.noise(NOISE + state.evaluations))
            inner = replace(inner, z=inner.z[rows], memory=_of_rows(inner.memory, rows))
            prediction, rate, log_weights = prediction[rows], rate[rows], torch.zeros_like(log_weights)
        moved = sampler.advance(inner, prediction)
        return replace(moved, memory=Particles(moved.memory, state.at, log_weights, rate, fewest))

    return replace(sampler, advance=advance, between=between)


def _own(state: State) -> Any:
    return state.memory.own if state.memory is not None else None


def _drawn(log_weights: Tensor, noise: Tensor) -> Tensor:
    """N indices in proportion to the weights, by systematic resampling: at u, u + 1, …, u + N − 1 of the cumulated
    weights, scaled to N, with one u in [0, 1) for all, which is Φ of the first number of the noise."""
    count = len(log_weights)
    u = (1 + math.erf(float(noise.flatten()[0]) / math.sqrt(2))) / 2
    cumulated = log_weights.softmax(0).cumsum(0)
    levels = (torch.arange(count, dtype=torch.float64) + u) / count
    return torch.searchsorted(cumulated, levels).clamp(max=count - 1)


def _of_rows(memory: Any, rows: Tensor) -> Any:
    """A sampler's memory of some of the particles: of a tensor the rows, of a tuple each part."""
    if isinstance(memory, tuple):
        return tuple(_of_rows(each, rows) for each in memory)
    return memory[rows] if isinstance(memory, Tensor) else memory
