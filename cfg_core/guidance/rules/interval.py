"""Guidance in a limited interval of noise levels (Kynkäänniemi et al., arXiv 2404.07724)."""

from torch import Tensor

from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Needs, Paper, Rule
from cfg_core.guidance.rules.classifier_free import combine_both
from cfg_core.parameters import Parameter, Values

LOW = Parameter("log_snr_low", "λ_lo", -25.0, 25.0, -1.0, 0.25, "guide from this log-SNR on, from the noisy end")
HIGH = Parameter("log_snr_high", "λ_hi", -25.0, 25.0, 2.5, 0.25, "guide up to this log-SNR, towards the clean end")
"""The defaults are approximately the authors' best for EDM2-XXL on ImageNet: σ_E = e^{−λ/2} from 0.28 to 1.61."""


def _needed_rows(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    """Paper's eq. 6 where λ_lo ≤ λ ≤ λ_hi, the conditional model alone outside:

        ε̃(z, c) = (1 + w) ε(z, c) − w ε(z)   inside
        ε̃(z, c) = ε(z, c)                    outside, where ε(z) is not computed

    A prediction that is not computed repeats ε(z, c), so that eq. 6 gives exactly ε(z, c) outside.
    """
    inside = (log_snr >= values["log_snr_low"]) & (log_snr <= values["log_snr_high"])
    return {CONDITIONAL: (w != -1) | ~inside, UNCONDITIONAL: (w != 0) & inside}


INTERVAL = Rule(
    "Limited interval",
    "(1 + w) ε(z, c) − w ε(z) for λ from λ_lo to λ_hi, else ε(z, c)",
    "guidance harms at high noise and is not needed at low: better FID and diversity, and fewer evaluations",
    Paper("Kynkäänniemi et al. 2024", "2404.07724"),
    _needed_rows,
    combine_both,
    parameters=(LOW, HIGH),
    as_cfg={"log_snr_low": LOW.low, "log_snr_high": HIGH.high},
    linear=True,
)

RULES = {"interval": INTERVAL}
