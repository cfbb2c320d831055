"""The exact denoiser of a Gaussian mixture: the 2-D lab's model, and the reference of many tests.

A Gaussian plus noise is Gaussian: where x ~ N(m, S), z_λ = αx + σε ~ N(αm, α²S + σ²I). So p(z|c), p(z), p(c|z) and the
posterior mean E[x|z] have closed forms at every λ. In the eigenbasis of S they need no matrix inverse and no difference
of large numbers, so they are finite and exact from λ = −20 to λ = ∞, the clean sample. Computed in float64 on the CPU.
"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cfg_core.checks import shown
from cfg_core.diffusion.denoiser import CLASSIFIER, MODEL, WEAKER, Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import NoiseSchedule, Schedule, alpha_sigma


class MixtureDenoiser(Denoiser):
    """C classes of K Gaussians each, in D dimensions; the null label stands for the mixture of all classes.

    means: (C, K, D). covariances: full (C, K, D, D), or isotropic (C, K), the variance of every dimension.
    class_weights: p(c), (C,). component_weights: (C, K), p(k|c). Both positive, summing to 1; left out, uniform.
    Raises ValueError for a wrong shape, other weights, or a covariance that is not positive definite.
    """

    sources = frozenset({MODEL, CLASSIFIER})

    def __init__(
        self,
        means: Tensor | Sequence,
        covariances: Tensor | Sequence,
        class_weights: Tensor | Sequence | None = None,
        component_weights: Tensor | Sequence | None = None,
        *,
        classes: Sequence[str] | None = None,
        schedule: NoiseSchedule | None = None,
    ) -> None:
        means = torch.as_tensor(means, dtype=torch.float64)
        if means.ndim != 3 or 0 in means.shape or not bool(means.isfinite().all()):
            raise ValueError(
                f"means must be finite numbers of shape (C, K, D), got shape {tuple(means.shape)}: {means}"
            )
        count, components, dimensions = means.shape
        names = tuple(map(str, range(count))) if classes is None else tuple(classes)
        if len(names) != count:
            raise ValueError(f"classes must name {count} classes, got {len(names)} names")
        of_class = _weights("class_weights", class_weights, (count,))
        of_component = _weights("component_weights", component_weights, (count, components))
        self.classes, self.schedule = names, schedule or Schedule()
        self.shape = (dimensions,)
        self._means = means.flatten(0, 1)  # (M, D), M = C·K components, class by class
        self._variances, self._axes = _principal_axes(covariances, means)  # (M, D), (M, D, D) or None
        within = torch.block_diag(*of_component)  # (C, M)
        # log p(component | label) by label; the last row is the null label's
        self._log_prior = torch.cat([within, of_class[None] @ within]).log()  # (C + 1, M)

    def with_weaker(self, blur: float) -> "MixtureDenoiser":
        """The same denoiser with a weaker sibling, that of x + blur · n with n ~ N(0, I): it is right about the means
        and takes each class to be wider than it is."""
        weaker, found = copy.copy(self), copy.copy(self)
        weaker._variances = self._variances + blur**2
        found.weaker, found.sources = weaker, self.sources | {WEAKER}
        return found

    def log_density(self, z: Tensor, log_snr: Tensor, labels: Tensor) -> Tensor:
        """log p(z_λ | c), and log p(z_λ) under the null label: (B, D), (B,), (B,) to (B,), float64.

        Exact at every λ, ∞ (the clean sample) included, and differentiable. Raises ValueError for a bad label or shape.
        """
        self.check_labels(labels)
        return torch.logsumexp(self._log_prior[labels] + self._components(z, log_snr)[0], 1)

    def log_class_posterior(self, z: Tensor, log_snr: Tensor) -> Tensor:
        """log p(c | z_λ), the classifier that classifier-free guidance implies: (B, D), (B,) to (B, C), float64."""
        joint = self._log_prior[self.null_label] + self._components(z, log_snr)[0]  # (B, M): log p(z, component)
        return joint.unflatten(1, (len(self.classes), -1)).logsumexp(2).log_softmax(1)

    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor, w: Tensor | None = None) -> Prediction:
        """E[x | z_λ, c] and E[ε | z_λ, c], in z's dtype; see Denoiser.predict."""
        self.check_labels(labels)
        log_normal, x, eps = self._components(z, log_snr)
        weights = torch.softmax(self._log_prior[labels] + log_normal[rows], 1)  # (N, M): p(component | z, c)
        x, eps = (torch.einsum("nm,nmd->nd", weights, each[rows]).to(z.dtype) for each in (x, eps))
        return Prediction(log_snr[rows], x, eps)

    def sample(self, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Clean samples x of these labels: (B,) to (B, D), float64."""
        self.check_labels(labels)
        component = torch.multinomial(self._log_prior[labels].exp(), 1, generator=generator).squeeze(1)
        y = torch.randn(len(labels), *self.shape, generator=generator, dtype=torch.float64)
        y = self._variances[component].sqrt() * y
        if self._axes is not None:
            y = torch.einsum("bde,be->bd", self._axes[component], y)
        return self._means[component] + y

    def log_tilted(self, z: Tensor, labels: Tensor, w: Tensor | float, log_snr: Tensor | None = None) -> Tensor:
        """log p(z|c) p(c|z)^w, not normalised: (B, D), (B,), w (B,) or one number, to (B,), float64.

        The target of guidance (paper, section 3.1; Figure 2), for the clean sample unless log_snr (B,) is given. Raises
        ValueError for the null label, which has no p(c|z).
        """
        if bool((labels == self.null_label).any()):
            raise ValueError(f"labels must be from 0 to {self.null_label - 1} for p(c|z), got the null label")
        at = torch.full((len(z),), math.inf, dtype=torch.float64) if log_snr is None else log_snr
        log_posterior = self.log_class_posterior(z, at).gather(1, labels[:, None].long()).squeeze(1)
        return self.log_density(z, at, labels) + w * log_posterior

    def tilted_density(self, label: int, w: float, xs: Tensor, ys: Tensor) -> Tensor:
        """p(x|c) p(c|x)^w of 2-D data, normalised over the grid xs × ys: (X,), (Y,) to (Y, X), float64.

        xs and ys are evenly spaced, and far enough out to hold the mass. Raises ValueError unless D = 2.
        """
        if self.shape != (2,):
            raise ValueError(f"the density on a grid needs data of dimension 2, got dimension {self.shape[0]}")
        y, x = torch.meshgrid(ys.double(), xs.double(), indexing="ij")
        points = torch.stack([x, y], -1).flatten(0, 1)  # (Y·X, 2)
        log_tilted = self.log_tilted(points, torch.full((len(points),), label), w)
        cell = math.prod(float(axis[-1] - axis[0]) / (len(axis) - 1) for axis in (xs, ys))
        return (log_tilted.softmax(0) / cell).reshape(len(ys), len(xs))

    def _components(self, z: Tensor, log_snr: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of every component: log N(z; αm, α²S + σ²I) (B, M), E[x|z] (B, M, D) and E[ε|z] (B, M, D)."""
        if z.ndim != 2 or z.shape[1:] != self.shape:
            raise ValueError(f"z must have shape (B, {self.shape[0]}), got {tuple(z.shape)}")
        alpha, sigma = (c[:, None, None] for c in alpha_sigma(log_snr.double()))
        centred = z.double()[:, None] - alpha * self._means
        if self._axes is not None:
            centred = torch.einsum("bmd,mde->bme", centred, self._axes)
        variance = alpha**2 * self._variances + sigma**2  # (B, M, D)
        whitened = centred / variance
        log_normal = -0.5 * (centred * whitened + (2 * math.pi * variance).log()).sum(2)
        x, eps = alpha * self._variances * whitened, sigma * whitened
        if self._axes is not None:
            x, eps = (torch.einsum("bme,mde->bmd", each, self._axes) for each in (x, eps))
        return log_normal, self._means + x, eps


def _weights(field: str, weights: Tensor | Sequence | None, shape: tuple[int, ...]) -> Tensor:
    if weights is None:
        return torch.full(shape, 1 / shape[-1], dtype=torch.float64)
    found = torch.as_tensor(weights, dtype=torch.float64)
    if found.shape != shape:
        raise ValueError(f"{field} must have shape {shape}, got {tuple(found.shape)}")
    if not bool((found > 0).all()) or not bool(((found.sum(-1) - 1).abs() < 1e-6).all()):
        raise ValueError(f"{field} must be positive numbers that sum to 1, got {shown(found.tolist())}")
    return found / found.sum(-1, keepdim=True)


def _principal_axes(covariances: Tensor | Sequence, means: Tensor) -> tuple[Tensor, Tensor | None]:
    """Variances (M, D) along the principal axes, and these axes (M, D, D) as columns; None: the coordinate axes."""
    given = torch.as_tensor(covariances, dtype=torch.float64)
    count, components, dimensions = means.shape
    full = (count, components, dimensions, dimensions)
    if given.shape not in (full[:2], full):
        raise ValueError(f"covariances must have shape {full[:2]} or {full}, got {tuple(given.shape)}")
    symmetric = given.shape != full or torch.allclose(given, given.mT)
    if symmetric and bool(given.isfinite().all()):
        found = given.flatten(0, 1)
        isotropic = found.ndim == 1
        variances, axes = (found[:, None].expand(-1, dimensions), None) if isotropic else torch.linalg.eigh(found)
        if bool((variances > 0).all()):
            return variances, axes
    raise ValueError(f"covariances must be symmetric and positive definite, got {shown(given.tolist())}")


def three_gaussians(spread: float = 0.5) -> MixtureDenoiser:
    """The paper's Figure 2: three isotropic 2-D Gaussians, one a class, on the corners of an equilateral triangle.

    The paper prints no numbers; here the corners lie at distance 1 from the centre. spread: standard deviation.
    """
    angles = math.pi * (0.5 + torch.arange(3, dtype=torch.float64) * 2 / 3)
    means = torch.stack([angles.cos(), angles.sin()], 1)[:, None]  # (3, 1, 2)
    return MixtureDenoiser(means, torch.full((3, 1), spread**2), classes=("top", "left", "right"))
