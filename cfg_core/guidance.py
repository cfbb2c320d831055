"""Guidance rules: (conditional, unconditional, w) to one prediction."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cfg_core.denoiser import Denoiser, Prediction
from cfg_core.schedule import per_sample

Needs = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(log_snr (B,), w (B,)) → which samples need their conditional and which their unconditional half, bool (B,) each."""

Combine = Callable[[Prediction, Prediction, Tensor], Prediction]
"""(conditional, unconditional, w (B,)) → the guided prediction."""


@dataclass(frozen=True)
class Rule:
    """A guidance rule: which halves it needs at a noise level and strength, and how it combines them."""

    needs: Needs
    combine: Combine
    title: str


def _cfg_needs(log_snr: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    return w != -1, w != 0


def _cfg(conditional: Prediction, unconditional: Prediction, w: Tensor) -> Prediction:
    """Paper, eq. 6: ε̃ = (1 + w) ε(z, c) − w ε(z), and the same in x."""

    def extrapolate(c: Tensor, u: Tensor) -> Tensor:
        return c + per_sample(w, c) * (c - u)

    x = extrapolate(conditional.x, unconditional.x)
    eps = extrapolate(conditional.eps, unconditional.eps)
    return Prediction(conditional.log_snr, x, eps, conditional, unconditional)


RULES: dict[str, Rule] = {"cfg": Rule(_cfg_needs, _cfg, "Classifier-free guidance")}


def halves(
    denoiser: Denoiser, z: Tensor, log_snr: Tensor, labels: Tensor, needs: tuple[Tensor, Tensor]
) -> tuple[Prediction, Prediction]:
    """The conditional and unconditional predictions of z (B, …), in one evaluation of only the halves that count.

    needs: two masks (B,). A half that was not asked for repeats the other, so that their difference is exactly 0.
    """
    conditional, unconditional = (mask.nonzero().squeeze(1) for mask in needs)
    rows = torch.cat([conditional, unconditional])
    asked = torch.cat([labels[conditional], torch.full_like(unconditional, denoiser.null_label)])
    found = denoiser.predict(z, log_snr, asked, rows)
    where = torch.arange(len(rows), device=z.device)
    at_conditional, at_unconditional = torch.empty((2, len(z)), dtype=torch.long, device=z.device)
    at_conditional[unconditional] = where[len(conditional) :]
    at_conditional[conditional] = at_unconditional[conditional] = where[: len(conditional)]
    at_unconditional[unconditional] = where[len(conditional) :]
    return found[at_conditional], found[at_unconditional]


def guide(denoiser: Denoiser, rule: Rule, z: Tensor, log_snr: Tensor, labels: Tensor, w: Tensor) -> Prediction:
    """The guided prediction of z (B, …) at log_snr (B,), for labels (B,) and strengths w (B,)."""
    return rule.combine(*halves(denoiser, z, log_snr, labels, rule.needs(log_snr, w)), w)
