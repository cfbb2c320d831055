"""Autoguidance: away from a weaker model of the same data (Karras et al., arXiv 2406.02507)."""

from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import per_sample
from cfg_core.guidance.rule import (
    CONDITIONAL,
    UNCONDITIONAL,
    WEAKER_CONDITIONAL,
    Memory,
    Needs,
    Paper,
    Results,
    Rule,
)
from cfg_core.parameters import Parameter, Values

SHARE = Parameter(
    "weaker_share",
    "a",
    0.0,
    1.0,
    1.0,
    0.05,
    "how much of w leads away from the weaker model: 0 is classifier-free guidance",
)


def _needs(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    share = values["weaker_share"]
    return {
        CONDITIONAL: w != -1,
        UNCONDITIONAL: (w != 0) & (share < 1),
        WEAKER_CONDITIONAL: (w != 0) & (share > 0),
    }


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Karras et al., eq. 3, with ε′ of a model that is smaller and trained for less, and s = 1 + w:

        ε̃ = ε′(z, c) + s (ε(z, c) − ε′(z, c)) = ε(z, c) + w (ε(z, c) − ε′(z, c)),

    and, mixed with eq. 6 of classifier-free guidance, ε̃ = ε(z, c) + w ((1 − a) (ε(z, c) − ε(z)) + a (ε(z, c) −
    ε′(z, c))); the same in x.
    """
    conditional, unconditional, weaker = (results[each] for each in (CONDITIONAL, UNCONDITIONAL, WEAKER_CONDITIONAL))
    strength, share = per_sample(w, conditional.x), values["weaker_share"]

    def guided(c: Tensor, u: Tensor, k: Tensor) -> Tensor:
        return c + strength * ((1 - share) * (c - u) + share * (c - k))

    parts = {"conditional": conditional, "unconditional": unconditional, "weaker": weaker}
    x = guided(conditional.x, unconditional.x, weaker.x)
    eps = guided(conditional.eps, unconditional.eps, weaker.eps)
    return Prediction(conditional.log_snr, x, eps, parts), memory


AUTOGUIDANCE = Rule(
    "Autoguidance",
    "ε(z, c) + w (ε(z, c) − ε′(z, c)), ε′ of a weaker model",
    "better images without less diversity, for both models err alike and the weaker one errs more",
    Paper("Karras et al. 2024", "2406.02507"),
    _needs,
    _combine,
    parameters=(SHARE,),
    as_cfg={"weaker_share": 0.0},
)

RULES = {"autoguidance": AUTOGUIDANCE}
