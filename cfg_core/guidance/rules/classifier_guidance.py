"""Classifier guidance (Dhariwal & Nichol, arXiv 2105.05233; the paper's section 3.1)."""

import torch
from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import alpha_sigma, per_sample
from cfg_core.guidance.rule import CONDITIONAL, GRADIENT, UNCONDITIONAL, Memory, Needs, Paper, Results, Rule
from cfg_core.parameters import Values


def _steered(prediction: Prediction, gradient: Tensor, strength: Tensor) -> tuple[Tensor, Tensor]:
    """x̃ and ε̃, moved along the gradient of strength · log p(c|z), with strength (B,):

    ε̃ = ε − strength · σ ∇_z log p(c|z)
    x̃ = x + strength · σ²/α ∇_z log p(c|z)
    """
    alpha, sigma = (per_sample(c, prediction.x) for c in alpha_sigma(prediction.log_snr.double()))
    scaled = per_sample(strength, prediction.x) * gradient
    return prediction.x + sigma**2 / alpha * scaled, prediction.eps - sigma * scaled


def _needs_conditional(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    return {CONDITIONAL: torch.ones_like(w, dtype=torch.bool), GRADIENT: w != 0}


def _combine_conditional(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Paper, section 3.1, on the class-conditional model: ε̃ = ε(z, c) − w σ ∇_z log p(c|z)."""
    conditional = results[CONDITIONAL]
    x, eps = _steered(conditional, results[GRADIENT], w)
    return Prediction(conditional.log_snr, x, eps, {"conditional": conditional}), memory


DHARIWAL_NICHOL = Paper("Dhariwal & Nichol 2021", "2105.05233")

CLASSIFIER_GUIDANCE = Rule(
    "Classifier guidance",
    "ε(z, c) − w σ ∇ log p(c|z)",
    "trades diversity for fidelity by the gradient of a classifier of noisy images",
    DHARIWAL_NICHOL,
    _needs_conditional,
    _combine_conditional,
)


def _needs_unconditional(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    return {UNCONDITIONAL: torch.ones_like(w, dtype=torch.bool), GRADIENT: w != -1}


def _combine_unconditional(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Paper, section 3.1, on the unconditional model, with weight w + 1: ε̃ = ε(z) − (w + 1) σ ∇_z log p(c|z)."""
    unconditional = results[UNCONDITIONAL]
    x, eps = _steered(unconditional, results[GRADIENT], w + 1)
    return Prediction(unconditional.log_snr, x, eps, {"unconditional": unconditional}), memory


CLASSIFIER_UNCONDITIONAL = Rule(
    "Classifier, unconditional",
    "ε(z) − (w + 1) σ ∇ log p(c|z)",
    "makes a class-conditional sampler of an unconditional model and a classifier",
    DHARIWAL_NICHOL,
    _needs_unconditional,
    _combine_unconditional,
)

RULES = {"classifier": CLASSIFIER_GUIDANCE, "classifier_unconditional": CLASSIFIER_UNCONDITIONAL}
