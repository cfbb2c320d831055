"""Tangential damping: ε(z) without what it does not share with ε(z, c) (Kwon et al., arXiv 2503.18137)."""

import math

import torch
from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import per_sample
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Paper, Results, Rule
from cfg_core.guidance.rules.classifier_free import needs_conditional_always
from cfg_core.parameters import Parameter, Values

DAMPING = Parameter(
    "damping",
    "d",
    0.0,
    1.0,
    1.0,
    0.05,
    "how much of the tangential part of ε(z) is taken off: 0 is classifier-free guidance",
)


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Kwon et al., Algorithm 1. Of the two rows ε(z, c) and ε(z) of a sample, the first right singular vector v₁ is the
    direction that they share; the part of ε(z) along the second, v₂, is taken off:

        ε̂(z) = ε(z) − d ⟨ε(z), v₂⟩ v₂,   ε̃ = (1 + w) ε(z, c) − w ε̂(z).

    The eigenvectors of the 2 × 2 matrix of inner products give v₂ ∝ cos θ ε(z) − sin θ ε(z, c), with θ = π/4 − φ/2 and
    φ = atan2(‖ε(z, c)‖² − ‖ε(z)‖², 2 ⟨ε(z, c), ε(z)⟩). It is computed from the difference of the x, since that of the ε
    vanishes beside them at the noisy end.
    """
    conditional, unconditional = results[CONDITIONAL], results[UNCONDITIONAL]
    odds = per_sample((conditional.log_snr.double() / 2).exp(), conditional.x)  # α/σ
    u, difference = unconditional.eps, odds * (unconditional.x - conditional.x)  # ε(z), ε(z, c) − ε(z)
    c = u + difference
    phi = torch.atan2(_dot(difference, 2 * u + difference), 2 * _dot(c, u))
    second = math.sqrt(2) * (phi / 2).sin() * u - (math.pi / 4 - phi / 2).sin() * difference  # along v₂
    tangential = (_dot(u, second) / _dot(second, second)).nan_to_num(0.0, 0.0, 0.0) * second
    change = per_sample(w, u) * (difference + values["damping"] * tangential)
    guided = conditional.moved(-change / odds)
    parts = {"conditional": conditional, "unconditional": unconditional}
    return Prediction(guided.log_snr, guided.x, guided.eps, parts), memory


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """⟨a, b⟩ of each sample, (B, …) to (B, 1, …)."""
    return (a * b).flatten(1).sum(1).reshape(-1, *[1] * (a.ndim - 1))


TCFG = Rule(
    "Tangential damping",
    "(1 + w) ε(z, c) − w ε̂(z), ε̂(z) the part of ε(z) that ε(z, c) shares",
    "better images, as the unconditional prediction no longer leads across the manifold of the class",
    Paper("Kwon et al. 2025", "2503.18137"),
    needs_conditional_always,
    _combine,
    parameters=(DAMPING,),
    as_cfg={"damping": 0.0},
)

RULES = {"tcfg": TCFG}
