"""CFG++: between the two predictions, and renoised with the unconditional one (Chung et al., arXiv 2406.08070)."""

import torch
from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import per_sample
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Needs, Paper, Results, Rule
from cfg_core.parameters import Parameter, Values

PER_SCALE = Parameter(
    "mu_per_scale", "κ", 0.01, 1.0, 0.08, 0.01, "the step μ from x(z) towards x(z, c), at most 1, over s = 1 + w"
)
"""The default is the authors' pair of a λ (here μ) of 0.6 for a scale of 7.5, at 50 steps."""


def _needs(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    return {CONDITIONAL: w != -1, UNCONDITIONAL: torch.ones_like(w, dtype=torch.bool)}


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Chung et al., Algorithm 2 in DDIM, with μ = min(1, κ (1 + w)):

        x̃ = x(z) + μ (x(z, c) − x(z)),   ε̃ = ε(z),   z' = α' x̃ + σ' ε̃

    A step of DDIM from λ to λ' is that of eq. 6 with 1 + w = μ/(1 − e^{−(λ' − λ)/2}): so the strength of a given μ
    grows with the number of steps.
    """
    conditional, unconditional = results[CONDITIONAL], results[UNCONDITIONAL]
    mu = (values["mu_per_scale"] * (1 + w)).clamp(max=1.0)
    x = unconditional.x + per_sample(mu, conditional.x) * (conditional.x - unconditional.x)
    parts = {"conditional": conditional, "unconditional": unconditional}
    return Prediction(conditional.log_snr, x, unconditional.eps, parts), memory


CFG_PLUS_PLUS = Rule(
    "CFG++",
    "x(z) + μ (x(z, c) − x(z)), μ = κ (1 + w), renoised with ε(z)",
    "stays on the manifold of the data, for it goes between the two predictions and not beyond them",
    Paper("Chung et al. 2024", "2406.08070"),
    _needs,
    _combine,
    parameters=(PER_SCALE,),
    renoises=True,
)

RULES = {"cfg_plus_plus": CFG_PLUS_PLUS}
