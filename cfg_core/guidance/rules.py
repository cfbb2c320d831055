"""The table of all guidance rules."""

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.guidance.classifier_free import BAYES, CFG, THREE_CHANNELS
from cfg_core.guidance.classifier_guidance import CLASSIFIER_GUIDANCE, CLASSIFIER_UNCONDITIONAL
from cfg_core.guidance.interval import INTERVAL
from cfg_core.guidance.rule import Rule

RULES: dict[str, Rule] = {
    "cfg": CFG,
    "interval": INTERVAL,
    "classifier": CLASSIFIER_GUIDANCE,
    "classifier_unconditional": CLASSIFIER_UNCONDITIONAL,
    "three_channels": THREE_CHANNELS,
    "bayes": BAYES,
}
"""Name in requests → rule."""


def rules(denoiser: Denoiser) -> dict[str, Rule]:
    """The rules that a denoiser supports: it has their sources and enough channels."""
    return {
        name: rule
        for name, rule in RULES.items()
        if rule.sources <= denoiser.sources and denoiser.shape[0] >= rule.channels
    }
