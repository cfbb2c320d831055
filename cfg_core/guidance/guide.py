"""From a denoiser and a rule to a guided prediction: all evaluations in one call of the denoiser, then combined."""

from dataclasses import replace

import torch
from torch import Tensor

from cfg_core.diffusion.denoiser import CLASSIFIER, MODEL, WEAKER, Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.guidance.rule import Evaluation, Memory, Needs, Results, Rule
from cfg_core.parameters import Values, resolve


def guide(
    denoiser: Denoiser,
    rule: Rule,
    z: Tensor,
    log_snr: Tensor,
    labels: Tensor,
    w: Tensor,
    values: Values | None = None,
) -> Prediction:
    """The guided prediction of z (B, …) at log_snr (B,), for labels (B,) and strengths w (B,), without memory.

    values: of the rule's parameters; those left out take their defaults.
    """
    values = resolve(rule.parameters, values or {})
    results = evaluate(denoiser, z, log_snr, labels, w, rule.needs(log_snr, w, values))
    return combine(denoiser, rule, results, w, values, None)[0]


def combine(
    denoiser: Denoiser, rule: Rule, results: Results, w: Tensor, values: Values, memory: Memory
) -> tuple[Prediction, Memory]:
    """The guided prediction and the rule's new memory; x, but not ε, is clipped to ±``denoiser.clip`` if that is set.

    Clipping comes after guidance, as in the code of DDPM (Ho et al., arXiv 2006.11239) and diffusers' ``clip_sample``.
    """
    guided, memory = rule.combine(results, w, values, memory)
    if denoiser.clip is not None:
        guided = replace(guided, x=guided.x.clamp(-denoiser.clip, denoiser.clip))
    return guided, memory


def evaluate(denoiser: Denoiser, z: Tensor, log_snr: Tensor, labels: Tensor, w: Tensor, needed: Needs) -> Results:
    """The results of evaluations of z (B, …), for the samples that need them; predictions of a model come of one call,
    and a weaker sibling that no sample needs is not called."""
    rows = {evaluation: mask.nonzero().squeeze(1) for evaluation, mask in needed.items()}
    predictions = {evaluation: where for evaluation, where in rows.items() if evaluation.source != CLASSIFIER}
    results = _predictions(denoiser, z, log_snr, labels, w, predictions)
    for evaluation, where in rows.items():
        if evaluation.source == CLASSIFIER:
            results[evaluation] = _classified(denoiser, z, log_snr, labels, evaluation, where)
    return results


def _predictions(
    denoiser: Denoiser, z: Tensor, log_snr: Tensor, labels: Tensor, w: Tensor, wanted: dict[Evaluation, Tensor]
) -> dict[Evaluation, Prediction | Tensor]:
    """The predictions under each evaluation's label, in one call a source. wanted: evaluation → indices of samples."""
    count, classes = len(z), torch.arange(len(denoiser.classes))
    wanted = {each: wanted[each] for each in sorted(wanted, key=lambda each: each.source == WEAKER)}
    rows, under = [], []
    for evaluation, where in wanted.items():
        every = evaluation.label == "every"
        null = torch.full_like(where, denoiser.null_label)
        rows.append(where.repeat_interleave(len(classes)) if every else where)
        under.append(classes.repeat(len(where)) if every else null if evaluation.label == "null" else labels[where])
    own = sum(evaluation.source == MODEL for evaluation in wanted)
    predicted = _called(denoiser, z, log_snr, w, rows[:own], under[:own])
    if any(map(len, rows[own:])):
        predicted = _joined(predicted, _called(_weaker(denoiser), z, log_snr, w, rows[own:], under[own:]))
    results: dict[Evaluation, Prediction | Tensor] = {}
    partial, first = {}, 0
    for (evaluation, where), each in zip(wanted.items(), rows, strict=True):
        block = slice(first, first := first + len(each))
        if evaluation.label == "every":
            x, eps = (t[block].unflatten(0, (len(where), len(classes))) for t in (predicted.x, predicted.eps))
            results[evaluation] = Prediction(log_snr, _scattered(x, where, count), _scattered(eps, where, count))
            continue
        results[evaluation] = predicted[block]
        at = partial[evaluation] = torch.full((count,), -1)  # row of each sample's prediction, −1 if not wanted
        at[where] = torch.arange(block.start, block.stop)
    for evaluation, at in partial.items():
        if len(wanted[evaluation]) < count:
            other = torch.stack(list(partial.values())).amax(0)
            results[evaluation] = _gathered(predicted, log_snr, torch.where(at < 0, other, at))
    return results


def _weaker(denoiser: Denoiser) -> Denoiser:
    if denoiser.weaker is None:
        raise ValueError("a denoiser must have a weaker sibling for this rule, got one without")
    return denoiser.weaker


def _called(
    model: Denoiser, z: Tensor, log_snr: Tensor, w: Tensor, rows: list[Tensor], under: list[Tensor]
) -> Prediction:
    strengths = {"w": w} if model.takes_w else {}
    return model.predict(z, log_snr, torch.cat(under), torch.cat(rows), **strengths)


def _joined(first: Prediction, second: Prediction) -> Prediction:
    """The rows of both, one after the other."""
    parts = zip((first.log_snr, first.x, first.eps), (second.log_snr, second.x, second.eps), strict=True)
    log_snr, x, eps = map(torch.cat, parts)
    return Prediction(log_snr, x, eps)


def _gathered(predicted: Prediction, log_snr: Tensor, at: Tensor) -> Prediction:
    """The prediction in row ``at`` (B,) for each sample, 0 where that is −1."""
    x, eps = predicted.x[at.clamp(min=0)], predicted.eps[at.clamp(min=0)]
    if bool((at < 0).any()):
        x[at < 0] = eps[at < 0] = 0
    return Prediction(log_snr, x, eps)


def _classified(
    denoiser: Denoiser, z: Tensor, log_snr: Tensor, labels: Tensor, evaluation: Evaluation, where: Tensor
) -> Tensor:
    """The noise-aware classifier's gradient ∇_z log p(c|z) (B, …), or under every label its p(k|z) (B, C)."""
    if evaluation.label == "every":
        if not len(where):
            return z.new_zeros(len(z), len(denoiser.classes))
        return _scattered(denoiser.log_class_posterior(z[where], log_snr[where]).exp(), where, len(z))
    if not len(where):
        return torch.zeros_like(z)
    return _scattered(denoiser.class_gradient(z[where], log_snr[where], labels[where]).to(z), where, len(z))


def _scattered(values: Tensor, where: Tensor, count: int) -> Tensor:
    """Values (M, …) of the samples ``where`` (M,) as (count, …), 0 for the others."""
    if len(where) == count:
        return values
    every = values.new_zeros(count, *values.shape[1:])
    every[where] = values
    return every
