"""Noisy samples over all noise levels, and how often a denoiser was asked for them."""

from collections.abc import Callable

import torch
from torch import Tensor

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.guidance.guide import combine, evaluate
from cfg_core.guidance.rule import Memory
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import resolve

COUNT = 18
W = torch.tensor([-1.0, -0.5, 0.0, 0.1, 1.0, 4.0], dtype=torch.float64).repeat(3)


def noisy(denoiser: Denoiser) -> tuple[Tensor, Tensor, Tensor]:
    """z (COUNT, …), λ and labels (COUNT,), float64."""
    z = torch.randn(COUNT, *denoiser.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return z, torch.linspace(-8, 8, COUNT, dtype=torch.float64), torch.arange(COUNT) % denoiser.null_label


def both(denoiser: Denoiser, kind: str = "eps") -> tuple[Tensor, Tensor]:
    """The conditional and the unconditional prediction of ``noisy``, as ε or x."""
    conditional, unconditional = denoiser.pair(*noisy(denoiser))
    return getattr(conditional, kind), getattr(unconditional, kind)


def guided(denoiser: Denoiser, rule: str, w: Tensor | float = W, memory: Memory = None, **given: float):
    """The guided prediction of ``noisy`` by a rule, and its memory."""
    chosen, strengths = RULES[rule], torch.as_tensor(w, dtype=torch.float64).expand(COUNT)
    z, log_snr, labels = noisy(denoiser)
    values = resolve(chosen.parameters, given)
    results = evaluate(denoiser, z, log_snr, labels, strengths, chosen.needs(log_snr, strengths, values))
    return combine(denoiser, chosen, results, strengths, values, memory)


def asked(denoiser: Denoiser, monkeypatch, ask: Callable[[], object]) -> tuple[int, int]:
    """How many predictions under a class and under the null class a call asks a denoiser for."""
    labels, predict = [torch.empty(0, dtype=torch.long)], denoiser.predict
    monkeypatch.setattr(denoiser, "predict", lambda *inputs: labels.append(inputs[2]) or predict(*inputs))
    ask()
    monkeypatch.undo()
    nulls = int((torch.cat(labels) == denoiser.null_label).sum())
    return len(torch.cat(labels)) - nulls, nulls


def column(values: Tensor, like: Tensor) -> Tensor:
    """Values (COUNT,), shaped to multiply samples."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
