"""Everything is a denoiser at a log-SNR: (z, λ, label) to a prediction of the clean sample and of the noise."""

from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.schedule import NoiseSchedule, alpha_sigma, per_sample
from cfg_core.threads import one_core_each
from cfg_core.unet import UNet

MIN_ROWS = 16
"""Below about 12 rows some CPU kernels round differently; every network call has at least this many."""

ROWS_UNIT = 4
"""Rows come in multiples of it: 2 to 4 threads then split activations at whole vectors (tails round differently)."""


@dataclass(frozen=True)
class Prediction:
    """What a denoiser or a guidance rule says of N noisy samples: x (N, …) and ε (N, …), at log_snr (N,), on the CPU.

    A guided prediction also carries the two halves it was made of; where a rule did not need a half, that half
    repeats the other.
    """

    log_snr: Tensor
    x: Tensor
    eps: Tensor
    conditional: "Prediction | None" = None
    unconditional: "Prediction | None" = None

    @classmethod
    def from_v(cls, z: Tensor, log_snr: Tensor, v: Tensor) -> "Prediction":
        """v = αε − σx, so x = αz − σv and ε = σz + αv (Salimans & Ho, arXiv 2202.00512, appendix D)."""
        alpha, sigma = (per_sample(c, z) for c in alpha_sigma(log_snr.double()))
        return cls(log_snr, alpha * z - sigma * v, sigma * z + alpha * v)

    @classmethod
    def from_eps(cls, z: Tensor, log_snr: Tensor, eps: Tensor) -> "Prediction":
        """x = (z − σε)/α."""
        alpha, sigma = (per_sample(c, z) for c in alpha_sigma(log_snr.double()))
        return cls(log_snr, (z - sigma * eps) / alpha, eps)

    @classmethod
    def from_x(cls, z: Tensor, log_snr: Tensor, x: Tensor) -> "Prediction":
        """ε = (z − αx)/σ."""
        alpha, sigma = (per_sample(c, z) for c in alpha_sigma(log_snr.double()))
        return cls(log_snr, x, (z - alpha * x) / sigma)

    @property
    def v(self) -> Tensor:
        alpha, sigma = (per_sample(c, self.x) for c in alpha_sigma(self.log_snr.double()))
        return alpha * self.eps - sigma * self.x

    @property
    def score(self) -> Tensor:
        """∇_z log p(z_λ) = −ε/σ."""
        return -self.eps / per_sample(alpha_sigma(self.log_snr.double())[1], self.eps)

    def __getitem__(self, rows: slice | Tensor) -> "Prediction":
        """The same of some of its samples; the halves are left behind."""
        return Prediction(self.log_snr[rows], self.x[rows], self.eps[rows])


class Denoiser(ABC):
    """The protocol that the image network, the exact mixture and adapted models share.

    shape: of one sample. classes: their names; label ``null_label``, their number, is the null class ∅. device: where
    samples and predictions lie; λ, labels and rows are on the CPU. spacing: a name in schedule.SPACINGS, where the
    model needs one of its own, whatever the sampler. clip: where every guided x is to be clipped to [−clip, clip].
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]
    schedule: NoiseSchedule
    device: torch.device = torch.device("cpu")
    spacing: str | None = None
    clip: float | None = None

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """(C, S, S) of the pictures that samples are seen as."""
        return self.shape

    def pictures(self, x: Tensor) -> Tensor:
        """Samples (B, …) to pictures (B, C, S, S) in [−1, 1]; the same, unless they are latents."""
        return x

    @property
    def null_label(self) -> int:
        return len(self.classes)

    @property
    def classifies(self) -> bool:
        """Whether it has a noise-aware classifier."""
        return False

    @abstractmethod
    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor) -> Prediction:
        """z (B, …) at log_snr (B,); prediction n of the N returned looks at z[rows[n]] under labels[n].

        rows and labels are integer (N,). Predictions that look at the same row may share work.
        """

    def __call__(self, z: Tensor, log_snr: Tensor, labels: Tensor) -> Prediction:
        """One prediction a sample. Raises ValueError for a label outside 0 … null_label."""
        return self.predict(z, log_snr, labels, torch.arange(len(z)))

    def pair(self, z: Tensor, log_snr: Tensor, labels: Tensor) -> tuple[Prediction, Prediction]:
        """The conditional and the unconditional prediction of the same z, in one evaluation."""
        count = len(z)
        rows = torch.arange(count).repeat(2)
        both = self.predict(z, log_snr, torch.cat([labels, torch.full_like(labels, self.null_label)]), rows)
        return both[:count], both[count:]

    def log_class_posterior(self, z: Tensor, log_snr: Tensor) -> Tensor:
        """log p(c | z_λ) of a noise-aware classifier: (B, …), (B,) to (B, C), differentiable in z.

        Raises ValueError where there is none.
        """
        raise ValueError("a denoiser must have a noise-aware classifier for this rule, got one without")

    def class_gradient(self, z: Tensor, log_snr: Tensor, labels: Tensor) -> Tensor:
        """∇_z log p(c | z_λ), (B, …); raises ValueError as ``log_class_posterior`` does."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf, log_snr, labels = z.clone().requires_grad_(), log_snr.clone(), labels.clone()
            log_p = self.log_class_posterior(leaf, log_snr).gather(1, labels[:, None].long().to(z.device))
            return torch.autograd.grad(log_p.sum(), leaf)[0]

    def check_labels(self, labels: Tensor) -> None:
        """Raises ValueError unless the labels are integers from 0 to null_label."""
        if labels.is_floating_point() or not bool(((labels >= 0) & (labels <= self.null_label)).all()):
            raise ValueError(
                f"labels must be whole numbers from 0 to {self.null_label} (the null class), got {labels.tolist()}"
            )


class NetworkDenoiser(Denoiser):
    """A network that predicts v, with the schedule it was trained on and the names of its classes.

    precision: what its convolutions compute in, float32 where none is given. classifier: (z, log_snr) → logits, set
    where there is one that may guide (cfg_core.guide).
    """

    classifier: nn.Module | None = None

    def __init__(
        self,
        network: UNet,
        schedule: NoiseSchedule,
        classes: tuple[str, ...],
        precision: torch.dtype | None = None,
    ) -> None:
        config = network.config
        if len(classes) != config.num_classes:
            raise ValueError(f"classes must name {config.num_classes} classes, got {len(classes)} names")
        self.network = network.eval()
        self.schedule = schedule
        self.classes = classes
        self.shape = (config.channels, config.size, config.size)
        self.device = next(network.parameters()).device
        self.precision = precision

    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor) -> Prediction:
        self.check_labels(labels)
        cores = torch.get_num_threads()
        with torch.autocast(self.device.type, self.precision) if self.precision else nullcontext():
            plain = self.device.type == "cpu" and self.precision is None and torch.is_inference_mode_enabled()
            divided = plain and cores > 1 and len(z) >= cores * MIN_ROWS
            evaluate = self._side_by_side if divided else self._evaluate
            v = evaluate(z.float(), log_snr.float(), labels, rows)
        return Prediction.from_v(z[rows], log_snr[rows], v.to(z.dtype))

    @property
    def classifies(self) -> bool:
        return self.classifier is not None

    def log_class_posterior(self, z: Tensor, log_snr: Tensor) -> Tensor:
        if self.classifier is None:
            return super().log_class_posterior(z, log_snr)
        return self.classifier(_padded(z.float()), _padded(log_snr.float()).to(z.device))[: len(z)].log_softmax(1)

    def _evaluate(self, *inputs: Tensor) -> Tensor:
        return self.network(*(_padded(t).to(self.device) for t in inputs))[: len(inputs[-1])]

    def _side_by_side(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """The same, the pictures dealt to the cores in turn, so that guided and unguided ones go to each alike.

        A core that has its own pictures waits for no other; a layer that all cores share waits for the slowest of them,
        which is slow indeed where something else runs beside.
        """
        cores = torch.get_num_threads()

        def run(core: int) -> tuple[Tensor, Tensor]:
            mine = (rows % cores == core).nonzero().squeeze(1)
            with torch.inference_mode():
                return mine, self._evaluate(z[core::cores], log_snr[core::cores], labels[mine], rows[mine] // cores)

        v = torch.empty(len(rows), *self.shape)
        for mine, evaluated in one_core_each(cores, "core").map(run, range(cores)):
            v[mine] = evaluated
        return v


def _padded(t: Tensor) -> Tensor:
    missing = max(MIN_ROWS - len(t), -len(t) % ROWS_UNIT)
    return F.pad(t, (0, 0) * (t.ndim - 1) + (0, missing)) if missing > 0 else t
