"""What images are measured by: their features, and the probabilities that follow from these."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cfg_core.checkpoints.classifiers import Classifier
from cfg_core.evaluation.bootstrap import Array
from cfg_core.evaluation.inception import FEATURES, Inception
from cfg_core.evaluation.metrics import MeasuredImages


@dataclass(frozen=True)
class Extractor:
    """A classifier of clean images, and the literature's Inception network in its place where that is given; p(own
    class) is the classifier's in either case."""

    classifier: Classifier
    inception: Inception | None = None

    @property
    def kind(self) -> str:
        return "inception" if self.inception else "classifier"

    @property
    def dimensions(self) -> int:
        """Of the features."""
        return FEATURES if self.inception else self.classifier.config.architecture.features

    @property
    def description(self) -> str:
        """The features, as a curve file names them: equal ones compare."""
        if self.inception:
            return f"{FEATURES} pooled features of Inception v3 ({self.inception.hash})"
        return f"{self.dimensions} penultimate features of the classifier"

    def extract(self, images: Tensor) -> Tensor:
        """Images (N, C, S, S) in [−1, 1] to all that is kept of them, (N, D), float32, on the CPU."""
        saturated = (images.abs() >= 1).float().mean((1, 2, 3))[:, None].cpu()
        parts = [self.classifier.features(images), saturated]
        return torch.cat([self.inception.features(images), *parts] if self.inception else parts, 1)

    def features(self, extracted: Tensor) -> Array:
        """The features (N, dimensions) of what was extracted (N, D)."""
        return extracted[:, : self.dimensions].double().numpy()

    def measured(self, extracted: Tensor, labels: Tensor) -> MeasuredImages:
        """What was extracted (N, D) of images with these labels (N,), as metrics take it."""
        own_features = extracted[:, -self.classifier.config.architecture.features - 1 : -1]
        classified = self.classifier.probabilities_of(own_features)
        probabilities = self.inception.probabilities_of(extracted[:, :FEATURES]) if self.inception else classified
        own = classified[torch.arange(len(labels)), labels]
        every = (probabilities, own, extracted[:, -1])
        return MeasuredImages(self.features(extracted), *(each.double().numpy() for each in every))
