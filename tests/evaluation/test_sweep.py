"""The sweep over w: its samples, its figures and its file, on synthetic pictures and an untrained network."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.data.datasets import load_dataset
from cfg_core.data.pixels import to_bytes, to_unit
from cfg_core.diffusion.noise import grid_noise
from cfg_core.evaluation.extractor import Extractor
from cfg_core.evaluation.frechet import frechet_distance
from cfg_core.evaluation.inception_score import inception_score
from cfg_core.evaluation.metrics import METRICS
from cfg_core.evaluation.precision_recall import Manifold
from cfg_core.evaluation.real_images import RealImages
from cfg_core.evaluation.sweep import Options, draw_samples, sample_labels
from cfg_core.evaluation.vendi import vendi_score
from cfg_core.sampling.loop import begin, sample


def test_the_file_records_where_its_figures_come_from(swept: dict, model: Path, classifier: Path) -> None:
    assert swept["checkpoint"]["hash"] == load_checkpoint(model).hash
    assert swept["classifier"]["hash"] == load_classifier(classifier).hash
    assert swept["classifier"]["test_accuracy"] == load_classifier(classifier).config.test_accuracy
    assert (swept["data"], swept["samples"], swept["sampler"], swept["steps"], swept["seed"]) == (
        "synthetic", 1000, "dpmpp_2m", 2, 0,
    )  # fmt: skip
    assert swept["reference"] == {"split": "train", "pictures": 2048, "manifold": 1000}
    assert swept["held_out"] == {"split": "test", "pictures": 512}
    assert "--samples 1000" in swept["command"]
    assert swept["note"] == "a test"
    assert swept["versions"]["torch"] == torch.__version__


def test_figures_lie_in_their_intervals_and_noise_is_worse_than_real_pictures(swept: dict) -> None:
    assert [result["w"] for result in swept["results"]] == [0, 1]
    for found in (swept["real_baseline"], *swept["results"]):
        for name in METRICS:
            assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]
        assert 0 <= found["p_correct"] <= 1
    assert swept["real_baseline"]["fid"] < 0.1 * min(result["fid"] for result in swept["results"])
    assert swept["results"][0]["fid"] != swept["results"][1]["fid"]


def test_the_figures_are_those_of_the_samples_drawn_one_w_at_a_time(swept: dict, model: Path, classifier: Path) -> None:
    denoiser, extractor = load_checkpoint(model).denoiser, load_classifier(classifier)
    labels = torch.arange(1000) % 4
    noise = grid_noise(0, range(1000), denoiser.shape, denoiser.device)
    job = begin(denoiser, noise, labels, torch.ones(1000), steps=2)
    features = extractor.features(to_unit(to_bytes(sample(denoiser, job))))
    reference = extractor.features(to_unit(load_dataset("synthetic").images))
    p_correct = extractor.probabilities_of(features)[torch.arange(1000), labels].mean()
    assert swept["results"][1]["fid"] == pytest.approx(frechet_distance(reference, features), rel=1e-3)
    assert swept["results"][1]["p_correct"] == pytest.approx(float(p_correct), abs=1e-3)
    chances = extractor.probabilities_of(features).double()
    assert swept["results"][1]["inception"] == pytest.approx(inception_score(chances), rel=1e-3)
    assert swept["results"][1]["vendi"] == pytest.approx(vendi_score(features), rel=1e-3)
    some = reference[np.random.default_rng(0).permutation(2048)[:1000]]
    assert swept["results"][1]["precision"] == pytest.approx(Manifold.fit(some).holds(features).mean(), abs=3e-3)
    assert swept["results"][1]["recall"] == pytest.approx(Manifold.fit(features).holds(some).mean(), abs=3e-3)


def test_saturated_values_are_those_at_either_end_of_the_range(classifier: Path) -> None:
    extractor = Extractor(load_classifier(classifier))
    images = torch.zeros(2, 1, 16, 16)
    images[0, :, :4], images[1, :, 8:, :8] = 1, -1
    found = extractor.measured(extractor.extract(images), torch.tensor([0, 1]))
    assert found.saturated.tolist() == [1 / 4, 1 / 4]


def test_the_csv_beside_it_holds_the_same_figures(swept: dict, out: Path) -> None:
    *rows, baseline = csv.DictReader(out.with_suffix(".csv").open(encoding="utf-8"))
    for row, found in zip(rows, swept["results"], strict=True):
        assert {name: float(value) for name, value in row.items()} == found
    assert baseline.pop("w") == "real"
    assert {name: float(value) for name, value in baseline.items()} == swept["real_baseline"]


def test_samples_do_not_depend_on_the_other_w_nor_on_where_the_drawing_began(model: Path) -> None:
    denoiser = load_checkpoint(model).denoiser
    both = torch.cat(list(draw_samples(denoiser, Options((0, 1), 1000, steps=1), range(1000))), 1)
    alone = torch.cat(list(draw_samples(denoiser, Options((1,), 1000, steps=1), range(400, 500))), 1)
    assert torch.equal(both[1, 400:500], alone[0])


def test_samples_are_drawn_of_the_classes_in_their_frequencies(model: Path) -> None:
    denoiser = load_checkpoint(model).denoiser
    options = Options((3.0,), 1000, steps=1, class_counts=(3, 0, 0, 1))
    [drawn] = draw_samples(denoiser, options, range(8))
    noise = grid_noise(0, range(8), denoiser.shape, denoiser.device)
    job = begin(denoiser, noise, torch.tensor([0, 0, 3, 0, 0, 0, 3, 0]), torch.full((8,), 3.0), steps=1)
    assert torch.equal(sample_labels(options.class_counts, 8), job.labels)
    assert torch.equal(drawn[0], to_unit(to_bytes(sample(denoiser, job))))


def test_the_file_records_the_class_counts_that_samples_follow(swept: dict) -> None:
    assert swept["class_counts"] == [512] * 4


def test_too_few_images_or_samples_for_the_features_are_refused(classifier: Path) -> None:
    extractor, data = Extractor(load_classifier(classifier)), load_dataset("synthetic")
    few = replace(data, images=data.images[:8], labels=data.labels[:8])
    with pytest.raises(ValueError, match="at least 65 images in its test split for FID over 64 features, got 8"):
        RealImages(extractor, data, few).check(1000)
    with pytest.raises(ValueError, match="samples must be at least 65 for FID over 64 features, got 64"):
        RealImages(extractor, data, data).check(64)
