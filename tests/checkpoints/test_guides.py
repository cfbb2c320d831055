"""The noise-aware classifier: it learns, guides the same alone and in a crowd, and is refused where it does not fit."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cfg_core.checkpoints.classifiers import ClassifierConfig
from cfg_core.checkpoints.format import CARD, CONFIG, WEIGHTS, Checkpoint, CheckpointConfig, CheckpointError
from cfg_core.checkpoints.guides import with_guide
from cfg_core.commands.classifier import main
from cfg_core.data.datasets import load_dataset
from cfg_core.data.pixels import to_unit
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.classifier import ClassifierArchitecture
from cfg_core.networks.noise_aware_classifier import NoiseAwareClassifierNetwork
from tests.conftest import small_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A noise-aware classifier of the synthetic pictures, trained by the command."""
    out = tmp_path_factory.mktemp("guide")
    widths = ["--widths", "32,64,128"]
    main(["--data", "synthetic", "--noisy", "--out", str(out), "--epochs", "8", "--batch", "64", *widths])
    return out


@pytest.fixture
def checkpoint() -> Checkpoint:
    """A model of the synthetic pictures that has learnt nothing."""
    network, synthetic = small_network(size=16, num_classes=4), load_dataset("synthetic")
    config = CheckpointConfig(
        network.config, Schedule(), "v", "v", synthetic.classes, "synthetic", "none", 0.1, 0, "none"
    )
    return Checkpoint(NetworkDenoiser(network, Schedule(), synthetic.classes), config, "0123456789ab")


def accuracy(checkpoint: Checkpoint, log_snr: float) -> float:
    test = load_dataset("synthetic", "test")
    x, at = to_unit(test.images), torch.full((len(test.labels),), log_snr)
    alpha, sigma = at.sigmoid().sqrt()[:, None, None, None], (-at).sigmoid().sqrt()[:, None, None, None]
    z = alpha * x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        named = checkpoint.denoiser.log_class_posterior(z, at).argmax(1)
    return float((named == test.labels).double().mean())


def test_it_is_right_about_clean_pictures_and_knows_that_noise_tells_nothing(
    folder: Path, checkpoint: Checkpoint
) -> None:
    checkpoint = with_guide(checkpoint, folder)
    assert len(checkpoint.guide) == 12
    assert accuracy(checkpoint, 20.0) > 0.9 > accuracy(checkpoint, -2.0) > accuracy(checkpoint, -20.0)
    with torch.inference_mode():
        z = torch.randn(64, 1, 16, 16, generator=torch.Generator().manual_seed(1))
        posterior = checkpoint.denoiser.log_class_posterior(z, torch.full((64,), -20.0)).exp()
    assert float((posterior - 0.25).abs().mean()) < 0.1
    assert "at λ = 0" in (folder / CARD).read_text(encoding="utf-8")
    config = ClassifierConfig.from_json((folder / CONFIG).read_text(encoding="utf-8"))
    assert config.schedule == Schedule()
    assert ClassifierConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("size", [1, 3, 15, 17, 32, 50])
def test_a_gradient_does_not_depend_on_the_batch(size: int) -> None:
    torch.manual_seed(0)
    network = NoiseAwareClassifierNetwork(ClassifierArchitecture(1, 28, 10)).eval().requires_grad_(False)
    for block in network.blocks:
        torch.nn.init.normal_(block.conv2.weight, std=0.05)
    denoiser = NetworkDenoiser(small_network(size=28), Schedule(), tuple(map(str, range(10))), classifier=network)
    z = torch.randn(64, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    log_snr, labels = torch.linspace(-8, 8, 64, dtype=torch.float64), torch.arange(64) % 10
    every = denoiser.class_gradient(z, log_snr, labels)
    some = slice(64 - size, 64)
    assert torch.equal(denoiser.class_gradient(z[some], log_snr[some], labels[some]), every[some])


def changed(folder: Path, copy: Path, **fields: object) -> Path:
    raw = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (copy / CONFIG).write_text(json.dumps({**raw, **fields}), encoding="utf-8")
    (copy / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes())
    return copy


def test_one_that_does_not_fit_the_model_is_refused(folder: Path, checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"classifier must be of the checkpoint's pictures .* and classes \(a, b"):
        with_guide(replace(checkpoint, denoiser=renamed(checkpoint.denoiser)), folder)
    other = {"log_snr_min": -10, "log_snr_max": 10}
    with pytest.raises(ValueError, match="classifier must be of the checkpoint's Schedule"):
        with_guide(checkpoint, changed(folder, tmp_path, schedule=other))
    with pytest.raises(CheckpointError, match="neither a folder nor a Hub name"):
        with_guide(checkpoint, "nowhere")
    assert checkpoint.denoiser.classifier is None


def test_the_checkpoint_that_was_loaded_stays_as_it_is(folder: Path, checkpoint: Checkpoint) -> None:
    guided = with_guide(checkpoint, folder)
    assert (checkpoint.guide, checkpoint.denoiser.sources) == ("", {"model"})
    assert guided.denoiser.sources == {"model", "classifier"}
    assert guided.denoiser.network is checkpoint.denoiser.network


def renamed(denoiser: NetworkDenoiser) -> NetworkDenoiser:
    return NetworkDenoiser(denoiser.network, Schedule(), ("a", "b", "c", "d"))


def test_the_classifier_that_judges_cannot_guide(checkpoint: Checkpoint, tmp_path: Path) -> None:
    main(["--data", "synthetic", "--out", str(tmp_path), "--epochs", "1"])
    with pytest.raises(CheckpointError, match="does not fit"):
        with_guide(checkpoint, tmp_path)
