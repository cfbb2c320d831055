"""The clean-picture classifier: it learns, survives saving, and says in one sentence what is wrong with a bad file."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from cfg_core.checkpoints import classifiers as judges
from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import CARD, CONFIG, WEIGHTS, CheckpointError, save_checkpoint
from cfg_core.commands.classifier import main
from cfg_core.data.datasets import load_dataset, synthetic
from cfg_core.data.pixels import to_unit
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.training.classifiers import train_classifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of the synthetic pictures, trained by the command."""
    out = tmp_path_factory.mktemp("classifier")
    main(["--data", "synthetic", "--out", str(out), "--epochs", "2", "--batch", "64"])
    return out


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return to_unit(load_dataset("synthetic", "test").images)


def changed(folder: Path, copy: Path, **fields: object) -> Path:
    """A copy of the classifier with other fields in its config.json."""
    raw = json.loads((folder / CONFIG).read_text())
    (copy / CONFIG).write_text(json.dumps({**raw, **fields}))
    (copy / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes())
    return copy


def test_the_command_learns_and_records_what_it_measured(folder: Path, pictures: torch.Tensor) -> None:
    judge, test = load_classifier(folder), load_dataset("synthetic", "test")
    assert judge.config.test_accuracy > 0.9  # chance is 0.25
    hits = judge.probabilities(pictures).argmax(1) == test.labels
    assert float(hits.double().mean()) == judge.config.test_accuracy
    assert judge.config.images_seen == 2 * 2048
    assert "--epochs 2" in judge.config.command
    assert all(part.stat().st_size < 10e6 for part in folder.iterdir())
    assert f"{judge.config.test_accuracy:.2%}" in (folder / CARD).read_text()


def test_saved_and_loaded_it_is_the_same(folder: Path, tmp_path: Path, pictures: torch.Tensor) -> None:
    judge = load_classifier(folder)
    save_checkpoint(tmp_path, judge.config, judge.network.state_dict())
    again = load_classifier(tmp_path)
    assert (again.hash, again.config) == (judge.hash, judge.config)
    assert torch.equal(again.features(pictures), judge.features(pictures))


def test_features_and_probabilities(folder: Path, pictures: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = load_classifier(folder)
    features, probabilities = judge.features(pictures), judge.probabilities(pictures)
    assert features.shape == (512, 64)
    assert probabilities.shape == (512, 4)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(512))
    assert torch.equal(probabilities, judge.probabilities_of(features))
    monkeypatch.setattr(judges, "BLOCK", 100)
    torch.testing.assert_close(judge.features(pictures), features, rtol=1e-5, atol=1e-5)


def test_it_judges_in_evaluation_mode(folder: Path) -> None:
    assert not any(part.training for part in load_classifier(folder).network.modules() if isinstance(part, nn.Module))


def test_the_same_seed_trains_the_same_network() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(0)
        network = ClassifierNetwork(ClassifierArchitecture(1, 16, 4, (8,)))
        small = synthetic("test")
        list(train_classifier(network, network, small, 1, 128, 1e-3, torch.Generator().manual_seed(seed)))
        return network.head.weight.detach()

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"test_accuracy": 1.5}, "test_accuracy must be a number from 0 to 1, got 1.5"),
        ({"classes": ["disc", "square"]}, "classes must be 4 names"),
        ({"classes": 4}, "classes must be 4 names, got 4"),
        ({"colour": "red"}, r"has the unknown fields \['colour'\]"),
        ({"architecture": {"channels": 1}}, "architecture lacks the fields"),
    ],
)
def test_a_bad_config_is_named(folder: Path, tmp_path: Path, fields: dict[str, object], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        load_classifier(changed(folder, tmp_path, **fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("widths", [0]), ("widths", 32), ("widths", []), ("size", 17), ("size", 4), ("num_classes", 1), ("features", "a")],
)
def test_a_bad_architecture_is_named(folder: Path, tmp_path: Path, field: str, value: object) -> None:
    architecture = {**json.loads((folder / CONFIG).read_text())["architecture"], field: value}
    with pytest.raises(CheckpointError, match=f"{field} must be"):
        load_classifier(changed(folder, tmp_path, architecture=architecture))


def test_weights_that_are_cut_off_missing_or_of_another_network_are_named(folder: Path, tmp_path: Path) -> None:
    changed(folder, tmp_path)
    content = (folder / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(content[:-100])
    with pytest.raises(CheckpointError, match="cut off or not a safetensors file"):
        load_classifier(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors; model\.pt is a pickle"):
        load_classifier(tmp_path)
    raw = json.loads((folder / CONFIG).read_text())
    changed(folder, tmp_path, architecture={**raw["architecture"], "features": 32})
    with pytest.raises(CheckpointError, match="does not fit"):
        load_classifier(tmp_path)


def test_pictures_of_another_shape_or_type_are_refused(folder: Path) -> None:
    judge = load_classifier(folder)
    for wrong in (torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16, dtype=torch.uint8)):
        with pytest.raises(ValueError, match=r"images must be floating point of shape \(N, 1, 16, 16\)"):
            judge.features(wrong)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--data", "mnist"), ("--epochs", "0"), ("--batch", "1"), ("--learning-rate", "nan"), ("--seed", "-1")],
)
def test_bad_options_exit_with_2_and_a_sentence(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--data", "synthetic", "--out", str(tmp_path), option, value])
    assert caught.value.code == 2
    assert f"{option.removeprefix('--')} must be" in capsys.readouterr().err.splitlines()[-1]
