"""The protocol of a guidance rule: the evaluations it needs of a noisy sample, how it combines them, and its memory.

**Memory.** A rule may keep something from step to step (a running mean, say): tensors whose first dimension is the
samples, which ``combine`` takes and returns, None before the first step. The loop (cfg_core.sampling.loop) keeps it
beside the sampler's own, in the state of each job; so it does not depend on which other jobs share an evaluation.

It advances once a step of the sampler, with the evaluation from which the sampler steps to the next λ. All evaluations
of a step read the memory from before the step; the memory that the others return is discarded:

- *Heun's second evaluation* is at the end of the Euler step. With the same memory both slopes are of the same function
  of (z, λ), which second order requires, and the memory advances per step, not per evaluation.
- *Langevin steps* stay at one λ before the sampler's own step. With the same memory they follow one fixed score, which
  convergence to its density requires, and the memory does not depend on their number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from cfg_core.diffusion.denoiser import CLASSIFIER, MODEL, WEAKER, Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.parameters import Parameter, Values, resolve


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of a noisy sample z_λ: of a source, under the sample's class c, the null class ∅ or every class.

    source: a name in ``Denoiser.sources``.
    """

    source: str
    label: Literal["class", "null", "every"]


CONDITIONAL = Evaluation(MODEL, "class")
"""ε(z, c): a Prediction (B, …)."""

UNCONDITIONAL = Evaluation(MODEL, "null")
"""ε(z): a Prediction (B, …)."""

EVERY_CLASS = Evaluation(MODEL, "every")
"""ε(z, k) for every class k: a Prediction whose x and ε are (B, C, …)."""

WEAKER_CONDITIONAL = Evaluation(WEAKER, "class")
"""ε′(z, c) of the weaker sibling: a Prediction (B, …)."""

GRADIENT = Evaluation(CLASSIFIER, "class")
"""∇_z log p(c|z): (B, …)."""

POSTERIOR = Evaluation(CLASSIFIER, "every")
"""p(k|z) for every class k: (B, C)."""


Needs = Mapping[Evaluation, Tensor]
"""Evaluation → whether a sample needs it, bool (B,)."""

Results = Mapping[Evaluation, Any]
"""Evaluation → its result for B samples.

Where a sample does not need an evaluation, its prediction under a label repeats another that the sample does need, so
that their difference is exactly 0; other results are 0 there.
"""

Memory = Any
"""The state that a rule keeps from step to step; see above."""


@dataclass(frozen=True)
class Paper:
    """A paper on arXiv: its authors, as one cites them, and its number."""

    authors: str
    arxiv: str

    @property
    def url(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv}"


@dataclass(frozen=True)
class Rule:
    """A guidance rule.

    formula: of what it changes, as the page shows it. claim: what its paper says of it, one line. needs: (log_snr (B,),
    w (B,), values) → which samples need which evaluations, with every evaluation that the rule may need among them;
    only what a sample needs is computed. combine: (results, w, values, memory) → the guided prediction and the new
    memory. as_cfg: values of its parameters at which it is eq. 6 at every λ and w, the others at their defaults; None
    where there are none. applies: whether it applies to the samples of a denoiser that has its sources.
    renoises: whether its ε̃ is not that of x̃ but the one to renoise x̃ with; only for samplers that take the two apart
    (cfg_core.sampling.loop.samplers_for).
    linear: whether it is eq. 6 of c = CONDITIONAL and u = UNCONDITIONAL, c + w (c − u), at every λ at which it needs u
    for w = 1, and c at the others; w can then be changed without another evaluation.
    """

    title: str
    formula: str
    claim: str
    paper: Paper
    needs: Callable[[Tensor, Tensor, Values], Needs]
    combine: Callable[[Results, Tensor, Values, Memory], tuple[Prediction, Memory]]
    parameters: tuple[Parameter, ...] = ()
    as_cfg: Values | None = None
    applies: Callable[[Denoiser], bool] = lambda denoiser: True
    renoises: bool = False
    linear: bool = False

    @cached_property
    def sources(self) -> frozenset[str]:
        """The sources of its evaluations, of ``Denoiser.sources``."""
        needed = self.needs(torch.zeros(1), torch.ones(1), resolve(self.parameters, {}))
        return frozenset(evaluation.source for evaluation in needed)
