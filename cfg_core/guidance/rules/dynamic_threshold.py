"""Dynamic thresholding (Saharia et al., arXiv 2205.11487, section 2.3)."""

from torch import Tensor

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory, Paper, Results, Rule
from cfg_core.guidance.rules.classifier_free import extrapolated, needs_both
from cfg_core.parameters import Parameter, Values

QUANTILE = Parameter("quantile", "q", 0.9, 1.0, 0.995, 0.005, "the quantile of |x̃| that is brought to the bound")
BOUND = Parameter(
    "bound", "b", 1.0, 25.0, 1.0, 0.5, "the data lie between −b and b; where |x̃| is smaller nothing changes"
)


def _combine(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Saharia et al., section 2.3, on x̃ of eq. 6, for data between −b and b:

        t = max(b, Q_q |x̃|) of each sample,   x̃ ← b clip(x̃, −t, t)/t

    ε̃ is computed anew, that of the same z.
    """
    guided = extrapolated(results[CONDITIONAL], results[UNCONDITIONAL], w)
    quantile = guided.x.flatten(1).abs().quantile(values["quantile"], dim=1)
    t = quantile.clamp(min=values["bound"]).reshape(-1, *[1] * (guided.x.ndim - 1))
    thresholded = guided.moved(guided.x.clamp(-t, t) * (values["bound"] / t) - guided.x)
    return Prediction(guided.log_snr, thresholded.x, thresholded.eps, guided.parts), memory


def _of_pixels(denoiser: Denoiser) -> bool:
    """Latents have no bound that all of them share."""
    return denoiser.picture_shape == denoiser.shape


DYNAMIC_THRESHOLD = Rule(
    "Dynamic thresholding",
    "clip(x̃, ±t)/t, t = max(1, Q_q |x̃|), x̃ of (1 + w) ε(z, c) − w ε(z)",
    "keeps a large w from saturating pixels",
    Paper("Saharia et al. 2022", "2205.11487"),
    needs_both,
    _combine,
    parameters=(QUANTILE, BOUND),
    as_cfg={"bound": BOUND.high},
    applies=_of_pixels,
)

RULES = {"dynamic_threshold": DYNAMIC_THRESHOLD}
