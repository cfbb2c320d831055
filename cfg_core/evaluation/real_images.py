"""The real images that samples are compared with, each seen by the extractor once, whatever the number of sweeps."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from cfg_core.checkpoints.classifiers import BLOCK
from cfg_core.data.datasets import DataSet
from cfg_core.data.pixels import to_unit
from cfg_core.evaluation.bootstrap import Array
from cfg_core.evaluation.extractor import Extractor
from cfg_core.evaluation.metrics import MeasuredImages, Reference
from cfg_core.evaluation.precision_recall import Manifold
from cfg_core.threads import on_cores


@dataclass(frozen=True)
class RealImages:
    """The training and the test split of a data set, and what they are measured by."""

    extractor: Extractor
    training: DataSet
    test: DataSet

    def check(self, samples: int) -> None:
        """Raises ValueError where a split, or so many samples, are too few for the covariance of the features."""
        least, over = self.extractor.dimensions + 1, f"for FID over {self.extractor.dimensions} features"
        for split, dataset in (("train", self.training), ("test", self.test)):
            if len(dataset.labels) < least:
                raise ValueError(
                    f"data must have at least {least} images in its {split} split {over}, got {len(dataset.labels)}"
                )
        if samples < least:
            raise ValueError(f"samples must be at least {least} {over}, got {samples}")

    def reference(self, samples: int, seed: int) -> Reference:
        """The training images: all for FID, and as many as there are samples, picked by the seed, for the manifold."""
        every = self._training
        picked = np.random.default_rng(seed).permutation(len(every))[:samples]
        return Reference(every, Manifold.fit(every[picked]))

    def held_out(self, samples: int, seed: int) -> MeasuredImages:
        """As many test images as there are samples, or all where there are fewer, picked by the seed."""
        picked = torch.from_numpy(np.random.default_rng(seed).permutation(len(self.test.labels))[:samples])
        return self.extractor.measured(self._test[picked], self.test.labels[picked])

    @cached_property
    def _training(self) -> Array:
        return self.extractor.features(self._extracted(self.training))

    @cached_property
    def _test(self) -> Tensor:
        return self._extracted(self.test)

    def _extracted(self, dataset: DataSet) -> Tensor:
        blocks, device = dataset.images.split(BLOCK), self.extractor.classifier.network.head.weight.device
        return torch.cat(list(on_cores(lambda block: self.extractor.extract(to_unit(block)), blocks, device)))
