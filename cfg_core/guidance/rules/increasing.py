"""Schedules of w over λ, with the mean of w kept (Wang et al., arXiv 2404.13040)."""

import math
from collections.abc import Callable

from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Needs, Paper, Results, Rule
from cfg_core.guidance.rules.classifier_free import extrapolated, needs_both
from cfg_core.parameters import Parameter, Values

START = Parameter("log_snr_start", "λ_start", -25.0, 25.0, -9.0, 0.25, "w begins to change at this log-SNR")
END = Parameter(
    "log_snr_end", "λ_end", -25.0, 25.0, 9.0, 0.25, "w has changed at this log-SNR; its mean is that between the two"
)
POWER = Parameter("power", "p", 0.0, 4.0, 1.0, 0.25, "w grows as this power: 1 linearly, 0 not at all")
SWING = Parameter(
    "swing", "m", -1.0, 1.0, 1.0, 0.05, "w swings by so much of itself: 1 from 0 to 2 w, 0 not at all, −1 from 2 w to 0"
)

PAPER = Paper("Wang et al. 2024", "2404.13040")

Factor = Callable[[Tensor, Values], Tensor]
"""(u (B,), values) → w(λ)/w, u from 0 at λ_start to 1 at λ_end; its mean over u is 1."""


def _by_power(u: Tensor, values: Values) -> Tensor:
    """w(λ) = w (p + 1) u^p: linear for p = 1."""
    return (values["power"] + 1) * u ** values["power"]


def _by_cosine(u: Tensor, values: Values) -> Tensor:
    """w(λ) = w (1 − m cos πu)."""
    return 1 - values["swing"] * (math.pi * u).cos()


def _schedule(title: str, formula: str, factor: Factor, parameter: Parameter, constant: Values) -> Rule:
    """The rule of eq. 6 with w(λ) in the place of w:

        ε̃ = (1 + w(λ)) ε(z, c) − w(λ) ε(z),   u = (λ − λ_start)/(λ_end − λ_start), between 0 and 1,

    in λ and not in the number of the step, which would shift with the number of steps. w jumps at λ_end where that is
    not beyond λ_start.
    """

    def strength(log_snr: Tensor, w: Tensor, values: Values) -> Tensor:
        start, end = values["log_snr_start"], values["log_snr_end"]
        u = (log_snr - start) / (end - start) if end > start else (log_snr >= end).to(log_snr)
        return w * factor(u.clamp(0, 1), values)

    def needs(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
        return needs_both(log_snr, strength(log_snr, w, values), values)

    def combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
        at = strength(results[CONDITIONAL].log_snr, w, values)
        return extrapolated(results[CONDITIONAL], results[UNCONDITIONAL], at), memory

    claim = "more guidance towards the clean end gives better images than the same w throughout"
    return Rule(title, formula, claim, PAPER, needs, combine, parameters=(parameter, START, END), as_cfg=constant)


GROWING = _schedule(
    "Growing w",
    "(1 + w(λ)) ε(z, c) − w(λ) ε(z), w(λ) = w (p + 1) u^p, u from 0 at λ_start to 1 at λ_end",
    _by_power,
    POWER,
    {"power": 0.0},
)
COSINE = _schedule(
    "Cosine w",
    "(1 + w(λ)) ε(z, c) − w(λ) ε(z), w(λ) = w (1 − m cos πu), u from 0 at λ_start to 1 at λ_end",
    _by_cosine,
    SWING,
    {"swing": 0.0},
)

RULES = {"growing": GROWING, "cosine": COSINE}
