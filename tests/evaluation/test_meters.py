"""The live meters: what they read where the answer is known, and that they show the trade-off they are there for."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cfg_core.checkpoints.classifiers import Classifier, load_classifier
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.data.pixels import to_unit
from cfg_core.evaluation.meters import measure_by
from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.precomputed import load_strips

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(ROOT / "checkpoints" / "fashion-mnist-classifier")


@pytest.fixture(scope="module")
def shipped(classifier: Classifier) -> dict[GridRequest, Frame]:
    checkpoint = load_checkpoint(ROOT / "checkpoints" / "fashion-mnist")
    frames = load_strips(ROOT / "assets" / "strips", checkpoint.hash, classifier.hash)
    return {frame.request: frame for frame in frames}


@pytest.mark.parametrize("label", range(10))
def test_diversity_falls_and_fidelity_grows_from_w_0_to_4_for_every_class(
    shipped: dict[GridRequest, Frame], label: int
) -> None:
    default = replace(next(iter(shipped)), classes=(label,))
    unguided, guided = (shipped[replace(default, w=(w,))].meter for w in (0.0, 4.0))
    assert unguided is not None
    assert guided is not None
    assert guided.diversity < unguided.diversity
    assert guided.fidelity > min(unguided.fidelity, 0.98), "a better model may leave no room to rise"


def test_shipped_meters_are_what_is_measured(shipped: dict[GridRequest, Frame], classifier: Classifier) -> None:
    frame = next(iter(shipped.values()))
    assert frame.pixels is not None
    found = measure_by(classifier)(frame.request, frame.pixels)
    assert found.fidelity == pytest.approx(frame.meter.fidelity, abs=1e-3)
    assert found.diversity == pytest.approx(frame.meter.diversity, rel=1e-3)


def test_fidelity_is_the_mean_probability_of_each_pictures_own_class(
    shipped: dict[GridRequest, Frame], classifier: Classifier
) -> None:
    grids = [shipped[replace(next(iter(shipped)), classes=(label,), w=(0.0,))] for label in (3, 8)]
    both = np.concatenate([grid.pixels for grid in grids], 1)
    request = replace(grids[0].request, classes=(3, 8))
    images = to_unit(torch.from_numpy(both.reshape(-1, 28, 28, 1)).permute(0, 3, 1, 2))
    chances = classifier.probabilities(images)
    expected = torch.cat([chances[:16, 3], chances[16:, 8]]).mean()
    meter = measure_by(classifier)(request, both)
    assert meter.fidelity == pytest.approx(float(expected), abs=1e-6)
    assert meter.fidelity > measure_by(classifier)(replace(request, classes=(8, 3)), both).fidelity
    assert 1 < meter.diversity < 32


def test_a_classifier_whose_features_overflow_gives_no_meter_and_one_warning(
    shipped: dict[GridRequest, Frame], classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    network = copy.deepcopy(classifier.network)
    with torch.no_grad():
        network.penultimate.weight.mul_(3e38)
    measure, frame = measure_by(replace(classifier, network=network)), next(iter(shipped.values()))
    assert [measure(frame.request, frame.pixels) for _ in range(3)] == [None] * 3
    [record] = caplog.records
    assert "features must be finite, got 16 of 16 pictures whose are not" in record.getMessage()


def test_a_classifier_whose_spread_was_not_measured_gives_no_meter(
    shipped: dict[GridRequest, Frame], classifier: Classifier
) -> None:
    frame = next(iter(shipped.values()))
    measure = measure_by(replace(classifier, config=replace(classifier.config, spread=0.0)))
    assert measure(frame.request, frame.pixels) is None


def test_copies_of_one_picture_count_once(shipped: dict[GridRequest, Frame], classifier: Classifier) -> None:
    frame = next(iter(shipped.values()))
    copies = np.repeat(frame.pixels[:, :, :1], 16, axis=2)
    assert measure_by(classifier)(frame.request, copies).diversity == pytest.approx(1, abs=1e-3)
