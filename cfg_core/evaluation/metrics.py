"""The table of metrics: what ``evaluate`` measures, in this order, each with its interval.

A figure is comparable only together with what stands beside it: the feature extractor, the number of samples, and the
real baseline, the same figure for as many held-out real images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cfg_core.evaluation.bootstrap import Array, Estimate, estimate, weighted_mean
from cfg_core.evaluation.frechet import frechet_figure
from cfg_core.evaluation.inception_score import inception_score
from cfg_core.evaluation.precision_recall import Manifold
from cfg_core.evaluation.vendi import vendi_score

EXTRACTORS = ("classifier", "inception")
"""Whose features serve FID, precision, recall and the Vendi score, and whose p(y|x) the Inception Score."""


Figures = Mapping[str, Estimate]
"""Metric → its figure with its interval."""


@dataclass(frozen=True)
class MeasuredImages:
    """N images as an extractor sees them: features (N, D), p(y|x) (N, K), p(own class|x) (N,), and of each the share of
    its values that are 0 or 255, (N,)."""

    features: Array
    probabilities: Array
    own: Array
    saturated: Array

    def __len__(self) -> int:
        return len(self.own)


@dataclass(frozen=True)
class Reference:
    """Real images to compare with: the features of all (M, D), and the manifold of as many as there are samples."""

    features: Array
    manifold: Manifold


@dataclass(frozen=True)
class Metric:
    """title: as tables show it; of the classifier's features or probabilities, where the literature's are Inception's,
    with this addition. estimate: (reference, images) → the figure with its interval. since: the version of curve files
    from which they have it."""

    title: str
    estimate: Callable[[Reference, MeasuredImages], Estimate]
    addition: str = ""
    since: int = 1

    def titled(self, extractor: str) -> str:
        """The title of figures by one of EXTRACTORS."""
        return self.title if extractor == "inception" else self.title + self.addition


def resamples(dimensions: int) -> int:
    """Of the intervals of figures over so many features; over thousands of them each takes seconds."""
    return 200 if dimensions <= 512 else 50


def _fid(reference: Reference, images: MeasuredImages) -> Estimate:
    figure, (count, dimensions) = frechet_figure(reference.features, images.features), images.features.shape
    return estimate(figure, count, resamples(dimensions))


def _inception(reference: Reference, images: MeasuredImages) -> Estimate:
    bounds = 1.0, float(images.probabilities.shape[1])
    return estimate(lambda counts: inception_score(images.probabilities, counts), len(images), bounds=bounds)


def _precision(reference: Reference, images: MeasuredImages) -> Estimate:
    return _share(reference.manifold.holds(images.features))


def _recall(reference: Reference, images: MeasuredImages) -> Estimate:
    return _share(Manifold.fit(images.features).holds(reference.manifold.points))


def _share(values: NDArray[Any]) -> Estimate:
    return estimate(lambda counts: weighted_mean(values, counts), len(values), bounds=(0.0, 1.0))


def _vendi(reference: Reference, images: MeasuredImages) -> Estimate:
    count, dimensions = images.features.shape
    bounds = 1.0, float(count)
    return estimate(lambda counts: vendi_score(images.features, counts), count, resamples(dimensions), bounds=bounds)


METRICS: dict[str, Metric] = {
    "fid": Metric("FID", _fid, ", classifier features"),
    "inception": Metric("Inception Score", _inception, ", classifier"),
    "precision": Metric("precision", _precision),
    "recall": Metric("recall", _recall),
    "p_correct": Metric("p(own class)", lambda _, images: _share(images.own)),
    "vendi": Metric("Vendi score", _vendi),
    "saturated": Metric("saturated values", lambda _, images: _share(images.saturated), since=3),
}
"""Name, as in curve files → metric."""


def titles(extractor: str) -> dict[str, str]:
    """Name → title of figures by one of EXTRACTORS."""
    return {name: metric.titled(extractor) for name, metric in METRICS.items()}
