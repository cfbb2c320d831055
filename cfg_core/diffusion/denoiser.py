"""The denoiser protocol: (z_λ, λ, label) to a prediction of the clean sample and of the noise."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import NoiseSchedule

MODEL, CLASSIFIER, WEAKER = "model", "classifier", "weaker"
"""Sources of a guidance rule's evaluations: the denoiser's predictions, its noise-aware classifier p(c | z_λ), and the
predictions of its weaker sibling."""


class Denoiser(ABC):
    """The protocol of the image network, the exact mixture and adapted models. Its attributes never change.

    shape: of one sample. classes: their names; label ``null_label``, their number, is the null class ∅. device: of
    samples and predictions; λ, w, labels and rows are on the CPU. spacing: a name in spacings.SPACINGS, where the
    model needs one of its own, whatever the sampler. clip: every guided x is clipped to [−clip, clip].
    sources: which sources it has for guidance rules. weaker: a model of the same samples and classes that predicts less
    well, which autoguidance guides away from; None where there is none. takes_w: whether ``predict`` takes w, as a
    network that was distilled from guided predictions does.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]
    schedule: NoiseSchedule
    device: torch.device = torch.device("cpu")
    spacing: str | None = None
    clip: float | None = None
    sources: frozenset[str] = frozenset({MODEL})
    weaker: "Denoiser | None" = None
    takes_w: bool = False

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """(C, S, S) of the images that samples are shown as."""
        return self.shape

    def pictures(self, x: Tensor) -> Tensor:
        """Samples (B, …) to images (B, C, S, S) in [−1, 1]; the same, unless they are latents."""
        return x

    @property
    def null_label(self) -> int:
        return len(self.classes)

    @abstractmethod
    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor, w: Tensor | None = None) -> Prediction:
        """z (B, …) at log_snr (B,); prediction n of the N returned is of z[rows[n]] under labels[n].

        rows and labels are integer (N,). w: guidance strengths (B,), given only where ``takes_w``. Predictions of the
        same row may share work. Raises ValueError for a label outside 0 … null_label.
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
