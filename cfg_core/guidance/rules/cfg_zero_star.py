"""CFG-Zero*: guidance of a flow's velocity with an optimised scale (Fan et al., arXiv 2503.18886)."""

import torch
from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import alpha_sigma, per_sample
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Needs, Paper, Results, Rule
from cfg_core.parameters import Parameter, Values

OPTIMISED = Parameter(
    "optimised",
    "γ",
    0.0,
    1.0,
    1.0,
    0.05,
    "how far the scale of v(z) is the optimised one: 0 is classifier-free guidance",
)
ZERO = Parameter("log_snr_zero", "λ_zero", -25.0, 25.0, -6.5, 0.25, "the velocity is zero below this log-SNR")
"""By default 4 % of the flow's time σ/(α + σ), as the authors zero 4 % of their steps."""


def _needs(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    """Where the velocity is zero, the conditional prediction alone, which says what z is."""
    zeroed = log_snr < values["log_snr_zero"]
    return {CONDITIONAL: torch.ones_like(w, dtype=torch.bool), UNCONDITIONAL: (w != 0) & ~zeroed}


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Fan et al., Algorithm 1. In a flow z/(α + σ) moves from data to noise with the velocity v = ε − x, and so

        x = (z − σ v)/(α + σ),   ε = (z + α v)/(α + σ).

    With s* = ⟨v(z, c), v(z)⟩/‖v(z)‖² of each sample, 1 + γ (s* − 1) in its place for γ < 1, and s = 1 + w:

        ṽ = s* v(z) + s (v(z, c) − s* v(z)) = v(z, c) + w (v(z, c) − s* v(z)),   0 for λ < λ_zero.
    """
    conditional, unconditional = results[CONDITIONAL], results[UNCONDITIONAL]
    v, v_unconditional = (each.eps - each.x for each in (conditional, unconditional))
    products = [(v_unconditional * each).flatten(1).sum(1) for each in (v, v_unconditional)]
    scale = 1 + values["optimised"] * ((products[0] / products[1]).nan_to_num(1.0) - 1)
    change = per_sample(w, v) * (v - scale.reshape(-1, *[1] * (v.ndim - 1)) * v_unconditional)
    zeroed = per_sample(conditional.log_snr < values["log_snr_zero"], v).bool()
    change = torch.where(zeroed, -v, change)
    alpha, sigma = (per_sample(c, v) for c in alpha_sigma(conditional.log_snr.double()))
    x, eps = conditional.x - sigma / (alpha + sigma) * change, conditional.eps + alpha / (alpha + sigma) * change
    return Prediction(conditional.log_snr, x, eps, {"conditional": conditional, "unconditional": unconditional}), memory


CFG_ZERO_STAR = Rule(
    "CFG-Zero*",
    "v(z, c) + w (v(z, c) − s* v(z)), v = ε − x, s* = ⟨v(z, c), v(z)⟩/‖v(z)‖²",
    "corrects the velocity of a flow that is undertrained, and starts it at zero",
    Paper("Fan et al. 2025", "2503.18886"),
    _needs,
    _combine,
    parameters=(OPTIMISED, ZERO),
    as_cfg={"optimised": 0.0, "log_snr_zero": ZERO.low},
)

RULES = {"cfg_zero_star": CFG_ZERO_STAR}
