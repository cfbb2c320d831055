"""Adaptive projected guidance (Sadat et al., arXiv 2410.02416)."""

import math

from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import per_sample
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Paper, Results, Rule
from cfg_core.guidance.rules.classifier_free import needs_conditional_always
from cfg_core.parameters import Parameter, Values

MOMENTUM = Parameter(
    "momentum",
    "β",
    -1.0,
    0.0,
    -0.5,
    0.05,
    "share of the previous steps' difference that is added; below 0 it is taken off",
)
PARALLEL = Parameter("parallel", "η_p", 0.0, 1.0, 0.0, 0.05, "share that is kept of the difference along x(z, c)")
RADIUS = Parameter(
    "radius", "r", 0.01, 10.0, 0.06, 0.01, "the difference is shortened to this length over the root of its dimension"
)
"""The default is the authors' 15 for SDXL's latents of 4 · 128² numbers: about 1.7 for 28² and 3.3 for 3 · 32²."""


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """⟨a, b⟩ of each sample, (B, …) to (B, 1, …)."""
    return (a * b).flatten(1).sum(1).reshape(-1, *[1] * (a.ndim - 1))


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Sadat et al., Algorithm 1, on x, with Δ = x(z, c) − x(z), all norms of one sample of D numbers:

    Δ̄ ← Δ + β Δ̄                                  momentum, the memory
    δ = Δ̄ · min(1, r √D/‖Δ̄‖)                     rescaling
    δ∥ = ⟨δ, x(z, c)⟩/‖x(z, c)‖² · x(z, c)        projection
    x̃ = x(z, c) + w (δ − δ∥ + η_p δ∥)
    """
    conditional, unconditional = results[CONDITIONAL], results[UNCONDITIONAL]
    difference = conditional.x - unconditional.x
    kept = difference if memory is None else difference + values["momentum"] * memory
    bound = values["radius"] * math.sqrt(math.prod(kept.shape[1:]))
    shortened = kept * (bound / _dot(kept, kept).sqrt()).clamp(max=1.0)
    along = (_dot(shortened, conditional.x) / _dot(conditional.x, conditional.x)).nan_to_num() * conditional.x
    guided = conditional.moved(per_sample(w, kept) * (shortened - (1 - values["parallel"]) * along))
    parts = {"conditional": conditional, "unconditional": unconditional}
    return Prediction(guided.log_snr, guided.x, guided.eps, parts), kept


APG = Rule(
    "Adaptive projected guidance",
    "x(z, c) + w (Δ − Δ_p), Δ = x(z, c) − x(z), Δ_p its part along x(z, c)",
    "as faithful as plain guidance at a large w, without its saturated colours",
    Paper("Sadat et al. 2024", "2410.02416"),
    needs_conditional_always,
    _combine,
    parameters=(MOMENTUM, PARALLEL, RADIUS),
    as_cfg={"momentum": 0.0, "parallel": 1.0, "radius": RADIUS.high},
)

RULES = {"apg": APG}
