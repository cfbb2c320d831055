"""Rescaled guidance (Lin et al., arXiv 2305.08891, section 3.4)."""

from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import per_sample
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Paper, Results, Rule
from cfg_core.guidance.rules.classifier_free import extrapolated, needs_conditional_always
from cfg_core.parameters import Parameter, Values

PHI = Parameter(
    "phi", "φ", 0.0, 1.0, 0.7, 0.05, "how far ε̃ is brought to the spread of ε(z, c): 0 is classifier-free guidance"
)


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Lin et al., section 3.4, on ε as diffusers does it, ε̃ of eq. 6 and the deviations of all numbers of a sample:

        ε̃_φ = φ ε̃ std(ε(z, c))/std(ε̃) + (1 − φ) ε̃

    Of x it would move the mean too, and turn a background of −1 grey.
    """
    guided = extrapolated(results[CONDITIONAL], results[UNCONDITIONAL], w)
    ratio = results[CONDITIONAL].eps.flatten(1).std(1, correction=0) / guided.eps.flatten(1).std(1, correction=0)
    change = values["phi"] * (ratio.nan_to_num(1.0, 1.0) - 1).reshape(-1, *[1] * (guided.eps.ndim - 1))
    odds = per_sample((guided.log_snr.double() / 2).exp(), guided.x)  # α/σ
    rescaled = guided.moved(-change * guided.eps / odds)
    return Prediction(guided.log_snr, rescaled.x, rescaled.eps, guided.parts), memory


RESCALE = Rule(
    "Rescaled guidance",
    "φ ε̃ std ε(z, c)/std ε̃ + (1 − φ) ε̃, ε̃ = (1 + w) ε(z, c) − w ε(z)",
    "cures the over-exposure of a large w",
    Paper("Lin et al. 2023", "2305.08891"),
    needs_conditional_always,
    _combine,
    parameters=(PHI,),
    as_cfg={"phi": 0.0},
)

RULES = {"rescale": RESCALE}
