"""The classifiers: they learn, survive saving, and say in one sentence what is wrong with a bad file."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from cfg_core.checkpoints import classifiers
from cfg_core.checkpoints.classifiers import class_spread, load_classifier
from cfg_core.checkpoints.format import CARD, CONFIG, WEIGHTS, CheckpointError, save_checkpoint
from cfg_core.commands.classifier import main
from cfg_core.data.datasets import DataSet, load_dataset, synthetic
from cfg_core.data.pixels import to_bytes, to_unit
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.training.classifiers import Recipe, calibrate, confidence, hold_out, train_classifier
from cfg_core.training.finite import NotFiniteError
from cfg_core.training.optimizers import adamw


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of the synthetic pictures, trained by the command."""
    out = tmp_path_factory.mktemp("classifier")
    main(["--data", "synthetic", "--out", str(out), "--epochs", "2", "--batch", "64", "--widths", "16,32,64"])
    return out


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return to_unit(load_dataset("synthetic", "test").images)


def changed(folder: Path, copy: Path, **fields: object) -> Path:
    """A copy of the classifier with other fields in its config.json."""
    raw = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (copy / CONFIG).write_text(json.dumps({**raw, **fields}), encoding="utf-8")
    (copy / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes())
    return copy


def test_the_command_learns_and_records_what_it_measured(folder: Path, pictures: torch.Tensor) -> None:
    classifier, test = load_classifier(folder), load_dataset("synthetic", "test")
    assert classifier.config.test_accuracy > 0.9  # chance is 0.25
    hits = classifier.probabilities(pictures).argmax(1) == test.labels
    assert float(hits.double().mean()) == classifier.config.test_accuracy
    assert classifier.config.images_seen == 2 * 2048
    assert "--epochs 2" in classifier.config.command
    assert all(part.stat().st_size < 10e6 for part in folder.iterdir())
    assert f"{classifier.config.test_accuracy:.2%}" in (folder / CARD).read_text(encoding="utf-8")


def test_saved_and_loaded_it_is_the_same(folder: Path, tmp_path: Path, pictures: torch.Tensor) -> None:
    classifier = load_classifier(folder)
    save_checkpoint(tmp_path, classifier.config, classifier.network.state_dict())
    again = load_classifier(tmp_path)
    assert (again.hash, again.config) == (classifier.hash, classifier.config)
    assert torch.equal(again.features(pictures), classifier.features(pictures))


def test_features_and_probabilities(folder: Path, pictures: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = load_classifier(folder)
    features, probabilities = classifier.features(pictures), classifier.probabilities(pictures)
    assert features.shape == (512, 64)
    assert probabilities.shape == (512, 4)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(512))
    assert torch.equal(probabilities, classifier.probabilities_of(features))
    monkeypatch.setattr(classifiers, "BLOCK", 100)
    torch.testing.assert_close(classifier.features(pictures), features, rtol=1e-5, atol=1e-5)


def test_it_is_loaded_in_evaluation_mode(folder: Path) -> None:
    assert not any(part.training for part in load_classifier(folder).network.modules() if isinstance(part, nn.Module))


def test_the_same_seed_trains_the_same_network() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(0)
        network = ClassifierNetwork(ClassifierArchitecture(1, 16, 4, (8,)))
        small = synthetic("test")
        generator = torch.Generator().manual_seed(seed)
        list(train_classifier(network, network, small, adamw(network), Recipe(epochs=1, batch=128), generator))
        return network.head.weight.detach()

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


@pytest.mark.parametrize("mirror", [False, True])
def test_images_are_mirrored_only_where_the_data_set_says_so(mirror: bool) -> None:
    images = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4).repeat(64, 1, 1, 1)
    data = DataSet("ramps", images, torch.arange(64) % 2, ("a", "b"), "none", mirror)
    network, seen = nn.Linear(16, 2), []

    def logits(x: torch.Tensor) -> torch.Tensor:
        seen.extend(x[:, 0, 0, 0].tolist())
        return network(x.flatten(1))

    recipe = Recipe(epochs=1, batch=16, shift=0)
    list(train_classifier(network, logits, data, adamw(network), recipe, torch.Generator().manual_seed(0)))
    left, right = to_unit(torch.tensor([0, 3])).tolist()
    assert len(seen) == 64
    assert set(seen) == ({left, right} if mirror else {left})


def test_two_epochs_show_both_sides_of_each_image() -> None:
    ramp = torch.arange(4, dtype=torch.uint8).repeat(4, 1)
    images = torch.stack([ramp + 10 * n for n in range(20)])[:, None]  # the corners of one are 10 n and 10 n + 3
    data = DataSet("ramps", images, torch.arange(20) % 2, ("a", "b"), "none", True)
    network, seen = nn.Linear(16, 2), []

    def logits(x: torch.Tensor) -> torch.Tensor:
        seen.extend(to_bytes(x[:, 0, 0, 0]).tolist())
        return network(x.flatten(1))

    recipe = Recipe(epochs=2, batch=20, shift=0)
    list(train_classifier(network, logits, data, adamw(network), recipe, torch.Generator().manual_seed(0)))
    assert sorted(seen) == sorted(10 * n + side for n in range(20) for side in (0, 3))
    assert len({corner % 10 for corner in seen[:20]}) == 2, "some of them are mirrored in the first epoch, not all"


def test_smoothed_targets_have_their_least_loss_below_certainty() -> None:
    data = DataSet("one", torch.zeros(4, 1, 4, 4, dtype=torch.uint8), torch.zeros(4).long(), ("a", "b"), "none", False)
    network = nn.Linear(16, 2)
    recipe = Recipe(epochs=400, batch=4, learning_rate=0.1, shift=0, smoothing=0.2)
    logits = lambda x: network(x.flatten(1))  # noqa: E731
    losses = list(train_classifier(network, logits, data, adamw(network), recipe, torch.Generator()))
    with torch.no_grad():
        p = float(logits(to_unit(data.images)).softmax(1)[0, 0])
    assert p == pytest.approx(0.9, abs=0.01)
    assert losses[-1] == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1), abs=1e-3)


def test_every_fiftieth_image_is_held_out_of_a_large_data_set_and_none_of_a_small_one() -> None:
    many = DataSet("noise", torch.zeros(5000, 1, 1, 1), torch.arange(5000), ("a", "b"), "none", False)
    rest, held = hold_out(many)
    assert held is not None
    assert held.labels.tolist() == list(range(0, 5000, 50))
    assert sorted([*rest.labels.tolist(), *held.labels.tolist()]) == list(range(5000))
    few = synthetic("train")
    assert hold_out(few) == (few, None)


def test_a_calibrated_classifier_is_as_sure_as_it_is_right_and_predicts_the_same() -> None:
    torch.manual_seed(0)
    network = ClassifierNetwork(ClassifierArchitecture(1, 16, 4, (8,), stem=4)).eval()
    images = torch.randint(256, (2000, 1, 16, 16), dtype=torch.uint8)
    with torch.no_grad():
        network.head.weight *= 20
        true = network(to_unit(images)).softmax(1)
        labels = true.multinomial(1)[:, 0]
        network.head.weight *= 4
        network.head.bias *= 4
        predicted = network(to_unit(images)).argmax(1)
    data = DataSet("noise", images, labels, ("a", "b", "c", "d"), "none", False)
    assert calibrate(network, data) == pytest.approx(4, rel=0.2)
    right = float((predicted == labels).float().mean())
    assert confidence(network, data) == pytest.approx(right, abs=0.03)
    with torch.no_grad():
        assert torch.equal(network(to_unit(images)).argmax(1), predicted)


def test_a_single_image_that_is_left_over_is_no_batch() -> None:
    network = ClassifierNetwork(ClassifierArchitecture(1, 8, 2, (8, 8, 8)))  # its last map is 1×1
    data = DataSet("noise", torch.zeros(9, 1, 8, 8, dtype=torch.uint8), torch.arange(9) % 2, ("a", "b"), "none", False)
    recipe = Recipe(epochs=2, batch=4)
    assert len(list(train_classifier(network, network, data, adamw(network), recipe, torch.Generator()))) == 4


def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    network = nn.Linear(256, 4)
    with torch.no_grad():
        network.bias[0] = torch.nan
    recipe = Recipe(epochs=1, batch=64)
    steps = train_classifier(
        network, lambda x: network(x.flatten(1)), synthetic("test"), adamw(network), recipe, torch.Generator()
    )
    with pytest.raises(NotFiniteError, match="loss must be finite, got nan in step 1 of 8"):
        next(steps)


def test_the_spread_is_that_of_the_classes_with_two_images_or_more() -> None:
    features = torch.tensor([[0.0, 0.0], [3.0, 4.0], [9.0, 9.0], [1.0, 0.0], [2.0, 0.0]])
    assert class_spread(features, torch.tensor([0, 0, 1, 2, 2])) == pytest.approx((5 + 1) / 2)
    assert class_spread(features[:3], torch.tensor([0, 1, 2])) == 0


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
    [
        ("widths", [0]),
        ("widths", 32),
        ("widths", []),
        ("size", 17),
        ("size", 4),
        ("num_classes", 1),
        ("features", "a"),
        ("stem", -1),
    ],
)
def test_a_bad_architecture_is_named(folder: Path, tmp_path: Path, field: str, value: object) -> None:
    architecture = {**json.loads((folder / CONFIG).read_text(encoding="utf-8"))["architecture"], field: value}
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
    raw = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    changed(folder, tmp_path, architecture={**raw["architecture"], "features": 32})
    with pytest.raises(CheckpointError, match="does not fit"):
        load_classifier(tmp_path)


def test_pictures_of_another_shape_or_type_are_refused(folder: Path) -> None:
    classifier = load_classifier(folder)
    for wrong in (torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16, dtype=torch.uint8)):
        with pytest.raises(ValueError, match=r"images must be floating point of shape \(N, 1, 16, 16\)"):
            classifier.features(wrong)
