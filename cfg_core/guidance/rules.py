"""Guidance rules: what is known of a sample at one noise level, and w, to one prediction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import alpha_sigma, per_sample


@dataclass(frozen=True)
class Needs:
    """Which samples need what of a denoiser, bool (B,) each.

    conditional, unconditional: the halves, ε(z, c) and ε(z). mixed: the unconditional half, made of the conditional
    predictions of all classes. gradient: ∇_z log p(c|z) of its noise-aware classifier.
    """

    conditional: Tensor
    unconditional: Tensor
    mixed: Tensor
    gradient: Tensor

    @classmethod
    def of(cls, w: Tensor, **asked: Tensor | bool) -> "Needs":
        """What is asked for, of samples of these w (B,); nothing else."""
        return cls(*(torch.full_like(w, False, dtype=torch.bool) | asked.get(f.name, False) for f in fields(cls)))

    @classmethod
    def cat(cls, needs: Sequence["Needs"]) -> "Needs":
        return cls(*(torch.cat([getattr(each, f.name) for each in needs]) for f in fields(cls)))


@dataclass(frozen=True)
class Parts:
    """What a denoiser said of B samples. A half that was not needed repeats the other, so that their difference is
    exactly 0; a gradient that was not needed is 0. gradient: (B, …)."""

    conditional: Prediction
    unconditional: Prediction
    gradient: Tensor

    def __getitem__(self, rows: slice) -> "Parts":
        return Parts(self.conditional[rows], self.unconditional[rows], self.gradient[rows])


@dataclass(frozen=True)
class Rule:
    """A guidance rule. needs: (log_snr (B,), w (B,)) → what it needs there. combine: (parts, w (B,)) → the guided
    prediction. formula: of ε̃, as the page shows it. classifier: whether it needs a noise-aware classifier. channels:
    fewer it has no sense for."""

    title: str
    formula: str
    needs: Callable[[Tensor, Tensor], Needs]
    combine: Callable[[Parts, Tensor], Prediction]
    classifier: bool = False
    channels: int = 0


def cfg(parts: Parts, w: Tensor) -> Prediction:
    """Paper, eq. 6: ε̃ = (1 + w) ε(z, c) − w ε(z), and the same in x."""

    conditional, unconditional = parts.conditional, parts.unconditional
    strength = per_sample(w, conditional.x)
    x = conditional.x + strength * (conditional.x - unconditional.x)
    eps = conditional.eps + strength * (conditional.eps - unconditional.eps)
    return Prediction(conditional.log_snr, x, eps, conditional, unconditional)


def three_channels(parts: Parts, w: Tensor) -> Prediction:
    """The same of the first three channels of a latent, the rest conditional: as DiT's authors sample
    (Peebles & Xie, arXiv 2212.09748, ``forward_with_cfg`` of their code)."""
    guided, conditional = cfg(parts, w), parts.conditional
    x, eps = (torch.cat([g[:, :3], c[:, 3:]], 1) for g, c in ((guided.x, conditional.x), (guided.eps, conditional.eps)))
    return Prediction(guided.log_snr, x, eps, parts.conditional, parts.unconditional)


def classifier(parts: Parts, w: Tensor) -> Prediction:
    """Paper, section 3.1: ε̃ = ε(z, c) − w σ ∇_z log p(c|z)."""
    return _steered(parts.conditional, parts, w)


def classifier_unconditional(parts: Parts, w: Tensor) -> Prediction:
    """The same of the unconditional model, which in theory takes w + 1: ε̃ = ε(z) − (w + 1) σ ∇_z log p(c|z)."""
    return _steered(parts.unconditional, parts, w + 1)


def _steered(prediction: Prediction, parts: Parts, strength: Tensor) -> Prediction:
    """ε moves by −σ times the gradient of strength · log p(c|z), and so x by σ²/α times it."""
    alpha, sigma = (per_sample(c, prediction.x) for c in alpha_sigma(prediction.log_snr.double()))
    pull = per_sample(strength, prediction.x) * parts.gradient
    x, eps = prediction.x + sigma**2 / alpha * pull, prediction.eps - sigma * pull
    return Prediction(prediction.log_snr, x, eps, parts.conditional, parts.unconditional)


RULES: dict[str, Rule] = {
    "cfg": Rule(
        "Classifier-free guidance",
        "(1 + w) ε(z, c) − w ε(z)",
        lambda log_snr, w: Needs.of(w, conditional=w != -1, unconditional=w != 0),
        cfg,
    ),
    "classifier": Rule(
        "Classifier guidance",
        "ε(z, c) − w σ ∇ log p(c|z)",
        lambda log_snr, w: Needs.of(w, conditional=True, gradient=w != 0),
        classifier,
        classifier=True,
    ),
    "classifier_unconditional": Rule(
        "Classifier, unconditional",
        "ε(z) − (w + 1) σ ∇ log p(c|z)",
        lambda log_snr, w: Needs.of(w, unconditional=True, gradient=w != -1),
        classifier_unconditional,
        classifier=True,
    ),
    "three_channels": Rule(
        "Classifier-free, three channels",
        "(1 + w) ε(z, c) − w ε(z), of the first three channels",
        lambda log_snr, w: Needs.of(w, conditional=True, unconditional=w != 0),
        three_channels,
        channels=4,
    ),
    "bayes": Rule(
        "Classifier-free by Bayes",
        "(1 + w) ε(z, c) − w Σ p(k|z) ε(z, k)",
        lambda log_snr, w: Needs.of(w, conditional=w != -1, mixed=w != 0),
        cfg,
        classifier=True,
    ),
}


def rules(denoiser: Denoiser) -> dict[str, Rule]:
    """The rules that this denoiser can serve."""
    return {
        name: rule
        for name, rule in RULES.items()
        if (denoiser.classifies or not rule.classifier) and denoiser.shape[0] >= rule.channels
    }


def parts(denoiser: Denoiser, z: Tensor, log_snr: Tensor, labels: Tensor, needs: Needs) -> Parts:
    """What the rules need to know of z (B, …), in one evaluation of the denoiser."""
    masks = needs.conditional, needs.unconditional, needs.mixed
    conditional, unconditional, mixed = (mask.nonzero().squeeze(1) for mask in masks)
    count, classes = len(z), torch.arange(len(denoiser.classes))
    rows = torch.cat([conditional, unconditional, mixed.repeat_interleave(len(classes))])
    null = torch.full_like(unconditional, denoiser.null_label)
    found = denoiser.predict(z, log_snr, torch.cat([labels[conditional], null, classes.repeat(len(mixed))]), rows)
    if len(mixed):
        first = len(conditional) + len(unconditional)
        found = _with_mixed(denoiser, z[mixed], log_snr[mixed], found, first)
        unconditional = torch.cat([unconditional, mixed])
    where = torch.arange(len(conditional) + len(unconditional))
    at_conditional, at_unconditional = torch.empty((2, count), dtype=torch.long)
    at_conditional[unconditional] = where[len(conditional) :]
    at_conditional[conditional] = at_unconditional[conditional] = where[: len(conditional)]
    at_unconditional[unconditional] = where[len(conditional) :]
    gradient = torch.zeros_like(z)
    steered = needs.gradient.nonzero().squeeze(1)
    if len(steered):
        gradient[steered] = denoiser.class_gradient(z[steered], log_snr[steered], labels[steered]).to(z)
    return Parts(found[at_conditional], found[at_unconditional], gradient)


def _with_mixed(denoiser: Denoiser, z: Tensor, log_snr: Tensor, found: Prediction, first: int) -> Prediction:
    """What was found, the predictions of all classes (from ``first`` on) replaced by their Bayes mixture a sample.

    Paper, section 5: p(z) = Σ p(c) p(z|c), so ε(z) = Σ p(c|z) ε(z, c), with p(c|z) of the noise-aware classifier.
    """
    weights = denoiser.log_class_posterior(z, log_snr).exp()  # (M, C)

    def mixture(of_classes: Tensor) -> Tensor:
        per_class = of_classes[first:].unflatten(0, weights.shape)  # (M, C, …)
        return torch.cat([of_classes[:first], torch.einsum("mc,mc...->m...", weights.to(of_classes), per_class)])

    return Prediction(torch.cat([found.log_snr[:first], log_snr]), mixture(found.x), mixture(found.eps))


def guide(denoiser: Denoiser, rule: Rule, z: Tensor, log_snr: Tensor, labels: Tensor, w: Tensor) -> Prediction:
    """The guided prediction of z (B, …) at log_snr (B,), for labels (B,) and strengths w (B,)."""
    return combined(denoiser, rule, parts(denoiser, z, log_snr, labels, rule.needs(log_snr, w)), w)


def combined(denoiser: Denoiser, rule: Rule, found: Parts, w: Tensor) -> Prediction:
    """What a rule makes of the parts; its x is clipped where the denoiser asks for it, and ε left as it is.

    So do the code of DDPM (Ho et al., arXiv 2006.11239) and diffusers' ``clip_sample``: after guidance, not before.
    """
    guided = rule.combine(found, w)
    return guided if denoiser.clip is None else replace(guided, x=guided.x.clamp(-denoiser.clip, denoiser.clip))
