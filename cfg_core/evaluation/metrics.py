"""The table of metrics: what ``evaluate`` measures, in this order, each with its interval.

A figure is comparable only together with what stands beside it: the feature extractor, the number of samples, and the
real baseline, the same figure for as many held-out real images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cfg_core.evaluation.bootstrap import Array, Estimate, estimate, weighted_mean
from cfg_core.evaluation.frechet import frechet_figure
from cfg_core.evaluation.inception_score import inception_score
from cfg_core.evaluation.precision_recall import Manifold
from cfg_core.evaluation.vendi import vendi_score

Figures = Mapping[str, Estimate]
"""Metric → its figure with its interval."""


@dataclass(frozen=True)
class ClassifiedImages:
    """N images as a classifier of clean images sees them: features (N, D), p(y|x) (N, K), and their labels (N,)."""

    features: Array
    probabilities: Array
    labels: NDArray[np.int64]

    @property
    def own(self) -> Array:
        """p(its own class | image), (N,)."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]


@dataclass(frozen=True)
class Reference:
    """Real images to compare with: the features of all (M, D), and the manifold of as many as there are samples."""

    features: Array
    manifold: Manifold


@dataclass(frozen=True)
class Metric:
    """title: as tables show it. estimate: (reference, images) → the figure with its interval."""

    title: str
    estimate: Callable[[Reference, ClassifiedImages], Estimate]


def _fid(reference: Reference, images: ClassifiedImages) -> Estimate:
    return estimate(frechet_figure(reference.features, images.features), len(images.labels))


def _inception(reference: Reference, images: ClassifiedImages) -> Estimate:
    bounds = 1.0, float(images.probabilities.shape[1])
    return estimate(lambda counts: inception_score(images.probabilities, counts), len(images.labels), bounds=bounds)


def _precision(reference: Reference, images: ClassifiedImages) -> Estimate:
    return _share(reference.manifold.holds(images.features))


def _recall(reference: Reference, images: ClassifiedImages) -> Estimate:
    return _share(Manifold.fit(images.features).holds(reference.manifold.points))


def _share(values: NDArray[Any]) -> Estimate:
    return estimate(lambda counts: weighted_mean(values, counts), len(values), bounds=(0.0, 1.0))


def _vendi(reference: Reference, images: ClassifiedImages) -> Estimate:
    count = len(images.labels)
    return estimate(lambda counts: vendi_score(images.features, counts), count, bounds=(1.0, float(count)))


METRICS: dict[str, Metric] = {
    "fid": Metric("FID", _fid),
    "inception": Metric("Inception Score", _inception),
    "precision": Metric("precision", _precision),
    "recall": Metric("recall", _recall),
    "p_correct": Metric("p(own class)", lambda _, images: _share(images.own)),
    "vendi": Metric("Vendi score", _vendi),
}
"""Name, as in curve files → metric."""
