"""Classifier-free guidance (the paper's eq. 6) and two variants of it."""

import torch
from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import per_sample
from cfg_core.guidance.rule import (
    CONDITIONAL,
    EVERY_CLASS,
    POSTERIOR,
    UNCONDITIONAL,
    Memory,
    Needs,
    Paper,
    Results,
    Rule,
)
from cfg_core.parameters import Values


def extrapolated(conditional: Prediction, unconditional: Prediction, w: Tensor) -> Prediction:
    """Paper, eq. 6, for w (B,):

    ε̃(z, c) = (1 + w) ε(z, c) − w ε(z)
            = ε(z, c) + w (ε(z, c) − ε(z)), and the same in x.
    """
    strength = per_sample(w, conditional.x)
    x = conditional.x + strength * (conditional.x - unconditional.x)
    eps = conditional.eps + strength * (conditional.eps - unconditional.eps)
    return Prediction(conditional.log_snr, x, eps, {"conditional": conditional, "unconditional": unconditional})


def needs_both(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    """Both predictions; eq. 6 is without the conditional one at w = −1 and without the unconditional one at w = 0."""
    return {CONDITIONAL: w != -1, UNCONDITIONAL: w != 0}


def needs_conditional_always(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    """Both predictions, the conditional one at w = −1 too, for rules that take more of it than eq. 6 does."""
    return {CONDITIONAL: torch.ones_like(w, dtype=torch.bool), UNCONDITIONAL: w != 0}


def combine_both(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Paper, eq. 6."""
    return extrapolated(results[CONDITIONAL], results[UNCONDITIONAL], w), memory


HO_SALIMANS = Paper("Ho & Salimans 2022", "2207.12598")

CFG = Rule(
    "Classifier-free guidance",
    "(1 + w) ε(z, c) − w ε(z)",
    "trades diversity for fidelity as w grows, without a classifier",
    HO_SALIMANS,
    needs_both,
    combine_both,
    as_cfg={},
    linear=True,
)


# ---- per channel: DiT's ----


def _combine_three_channels(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Eq. 6 on the first three channels of a latent, ε̃ = ε(z, c) on the rest: as DiT's authors sample
    (Peebles & Xie, arXiv 2212.09748, ``forward_with_cfg`` of their code)."""
    conditional = results[CONDITIONAL]
    guided = extrapolated(conditional, results[UNCONDITIONAL], w)
    x, eps = (torch.cat([g[:, :3], c[:, 3:]], 1) for g, c in ((guided.x, conditional.x), (guided.eps, conditional.eps)))
    return Prediction(guided.log_snr, x, eps, guided.parts), memory


THREE_CHANNELS = Rule(
    "Classifier-free, three channels",
    "(1 + w) ε(z, c) − w ε(z), of the first three channels",
    "guides three of a latent's four channels, as DiT's published figures were drawn",
    Paper("Peebles & Xie 2022", "2212.09748"),
    needs_conditional_always,
    _combine_three_channels,
    applies=lambda denoiser: denoiser.shape[0] >= 4,
)


# ---- the unconditional prediction by Bayes' rule ----


def _needs_bayes(log_snr: Tensor, w: Tensor, values: Values) -> Needs:
    return {CONDITIONAL: w != -1, EVERY_CLASS: w != 0, POSTERIOR: w != 0}


def _combine_bayes(results: Results, w: Tensor, values: Values, memory: Memory) -> tuple[Prediction, Memory]:
    """Paper, section 5: p(z) = Σ p(k) p(z|k), so that no unconditional model is needed:

    ε(z) = Σ_k p(k|z) ε(z, k), with p(k|z) of the noise-aware classifier, and then eq. 6.
    """
    conditional, every, posterior = results[CONDITIONAL], results[EVERY_CLASS], results[POSTERIOR]
    x, eps = (torch.einsum("mc,mc...->m...", posterior.to(each), each) for each in (every.x, every.eps))
    return extrapolated(conditional, Prediction(conditional.log_snr, x, eps), w), memory


BAYES = Rule(
    "Classifier-free by Bayes",
    "(1 + w) ε(z, c) − w Σ p(k|z) ε(z, k)",
    "needs no unconditional model: Bayes' rule makes it of those of all classes",
    HO_SALIMANS,
    _needs_bayes,
    _combine_bayes,
)

RULES = {"cfg": CFG, "three_channels": THREE_CHANNELS, "bayes": BAYES}
