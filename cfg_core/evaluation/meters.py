"""The live meters of a grid: how faithful its images are to their class, and how many different ones there are."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from cfg_core.checkpoints.classifiers import Classifier
from cfg_core.checks import number
from cfg_core.data.pixels import to_unit
from cfg_core.evaluation.vendi import vendi_score_near
from cfg_core.grids.request import MAX_PICTURES, GridRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Meter:
    """fidelity: mean p(own class | image), 0 to 1. diversity: the effective number of different images, from 1 to
    their number; under a Gaussian kernel on the classifier's features, half as wide as the mean distance of two real
    images of one class (tests/evaluation/test_meters.py: with it diversity falls from w = 0 to 4 for every class).
    Raises ValueError for a figure out of its range."""

    fidelity: float
    diversity: float

    def __post_init__(self) -> None:
        number("fidelity", self.fidelity, 0, 1.001)  # both are sums that rounding takes a little beyond
        number("diversity", self.diversity, 0.999, 1.001 * MAX_PICTURES)


Measure = Callable[[GridRequest, np.ndarray], Meter | None]
"""A request and its finished images (w, class, sample, S, S, C) uint8 to their meter, None where they have none."""


def measure_by(classifier: Classifier) -> Measure:
    """Meters by this classifier of clean images; a few milliseconds a grid.

    Where it fails, as one whose features overflow does, images have no meter; the first time is logged.
    """
    failed = False

    def measure(request: GridRequest, pictures: np.ndarray) -> Meter | None:
        nonlocal failed
        try:
            return _meter(classifier, request, pictures)
        except Exception as error:  # it must not cost the images
            if not failed:
                log.warning("no meters classifier=%s error=%s", classifier.hash, error)
            failed = True
            return None

    return measure


def _meter(classifier: Classifier, request: GridRequest, pictures: np.ndarray) -> Meter:
    images = torch.from_numpy(pictures.reshape(-1, *pictures.shape[3:])).permute(0, 3, 1, 2)
    features = classifier.features(to_unit(images))
    labels = [label for _, label, _ in product(request.w, request.classes, range(request.samples))]
    fidelity = classifier.probabilities_of(features)[range(len(labels)), labels].mean()
    return Meter(float(fidelity), vendi_score_near(features, classifier.config.spread / 2))
