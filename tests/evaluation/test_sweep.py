"""The sweep over w: its samples, its figures and its file, on synthetic pictures and an untrained network."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import CONFIG, WEIGHTS, CheckpointConfig, load_checkpoint, save_checkpoint
from cfg_core.commands import classifier as train_classifier
from cfg_core.commands import evaluate
from cfg_core.data.datasets import load_dataset
from cfg_core.data.pixels import to_bytes, to_unit
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.schedule import Schedule
from cfg_core.evaluation import sweep
from cfg_core.evaluation.frechet import frechet_distance
from cfg_core.evaluation.inception_score import inception_score
from cfg_core.evaluation.metrics import METRICS
from cfg_core.evaluation.precision_recall import Manifold
from cfg_core.evaluation.sweep import Options, check_image_counts, claim_folder, draw_samples, sample_labels
from cfg_core.evaluation.vendi import vendi_score
from cfg_core.networks.unet import UNet, UNetConfig
from cfg_core.sampling.loop import begin, sample


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose output layer is random too, so that labels and w matter."""
    folder = tmp_path_factory.mktemp("model")
    config = UNetConfig(1, 16, 4, widths=(16, 16), encoder=(0, 1), decoder=(0, 1))
    torch.manual_seed(0)
    weights = {name: t if t.any() else 0.1 * torch.randn_like(t) for name, t in UNet(config).state_dict().items()}
    synthetic = load_dataset("synthetic")
    save_checkpoint(
        folder,
        CheckpointConfig(
            config, Schedule(), "v", "v", synthetic.classes, "synthetic", synthetic.licence, 0.1, 0, "none"
        ),
        weights,
    )
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    train_classifier.main(["--data", "synthetic", "--out", str(folder), "--epochs", "1"])
    return folder


@pytest.fixture(scope="module")
def out(model: Path, classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "deep" / "sweep.json"
    evaluate.main([*command(model, classifier, out), "--note", "a test"])
    return out


@pytest.fixture(scope="module")
def swept(out: Path) -> dict:
    return json.loads(out.read_text(encoding="utf-8"))


def command(model: Path, classifier: Path, out: Path) -> list[str]:
    names = ["--checkpoint", str(model), "--classifier", str(classifier), "--out", str(out)]
    return [*names, "--w", "0", "1", "--samples", "1000", "--steps", "2"]


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


def test_the_csv_beside_it_holds_the_same_figures(swept: dict, out: Path) -> None:
    *rows, baseline = csv.DictReader(out.with_suffix(".csv").open(encoding="utf-8"))
    for row, found in zip(rows, swept["results"], strict=True):
        assert {name: float(value) for name, value in row.items()} == found
    assert baseline.pop("w") == "real"
    assert {name: float(value) for name, value in baseline.items()} == swept["real_baseline"]


def undated(path: Path) -> dict:
    return {
        name: value
        for name, value in json.loads(path.read_text(encoding="utf-8")).items()
        if name not in ("date", "command")
    }


def test_a_killed_sweep_resumes_to_the_same_file_without_drawing_again(
    model: Path, classifier: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    drawn: list[range] = []

    def until(limit: int) -> Callable[..., Iterator[Tensor]]:
        def draw(denoiser: Denoiser, options: Options, samples: range) -> Iterator[Tensor]:
            if len(drawn) == limit:
                raise Killed
            drawn.append(samples)
            return original(denoiser, options, samples)

        return draw

    original = draw_samples
    again = [*command(model, classifier, tmp_path / "again.json"), "--note", "a test"]
    monkeypatch.setattr(sweep, "draw_samples", until(2))
    with pytest.raises(Killed):
        evaluate.main(again)
    monkeypatch.setattr(sweep, "draw_samples", until(1000))
    evaluate.main(again)
    assert drawn == [range(480), range(480, 960), range(960, 1000)]
    assert undated(tmp_path / "again.json") == undated(out)
    assert {path.name for path in tmp_path.iterdir()} == {"again.json", "again.csv"}


def test_two_processes_write_what_one_writes(model: Path, classifier: Path, out: Path, tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "--"]
    sweep = ["cfg_core", "evaluate", *command(model, classifier, tmp_path / "two.json"), "--note", "a test"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.run([*launch, *sweep], check=True, capture_output=True, encoding="utf-8", env=environment)
    assert run.stdout.count("1,000 samples") == 1, "one of them prints"
    one, two = undated(out), undated(tmp_path / "two.json")
    for found, same in zip(two["results"], one["results"], strict=True):
        assert found == pytest.approx(same, rel=1e-3)


def test_another_sweep_does_not_take_up_what_one_has_drawn(
    model: Path, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim_folder(tmp_path / "a.json.drawn", {"w": [5]})
    with pytest.raises(SystemExit) as caught:
        evaluate.main(command(model, classifier, tmp_path / "a.json"))
    assert caught.value.code == 2
    assert "out must not be that of another unfinished sweep; delete" in capsys.readouterr().err


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


def test_too_few_images_for_the_features_are_refused(classifier: Path) -> None:
    extractor, data = load_classifier(classifier), load_dataset("synthetic")
    few = replace(data, images=data.images[:8], labels=data.labels[:8])
    with pytest.raises(ValueError, match="at least 65 images in its test split for FID over 64 features, got 8"):
        check_image_counts(extractor, data, few)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--w", "1", "1"], "w must hold each guidance strength once, got (1.0, 1.0)"),
        (["--out", "figures.csv"], "out must be a JSON file, got figures.csv"),
        (["--out", "."], "out must be a JSON file, got ."),
        (["--samples", "999"], "samples must be at least 1000 for a figure called FID, got 999"),
        (["--w", "0", "nan"], "w must be a number from -1 to 100, got nan"),
        (["--steps", "0"], "steps must be a whole number from 1 to 10000, got 0"),
        (["--sampler", "euler"], "sampler must be one of dpmpp_2m, dpmpp_2m_sde, ddim, heun, ancestral, got 'euler'"),
        (["--seed", "-1"], "seed must be a whole number from 0"),
        (["--checkpoint", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
        (["--classifier", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
    ],
)
def test_bad_input_exits_with_2_and_one_sentence(
    options: list[str],
    message: str,
    model: Path,
    classifier: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        evaluate.main([*command(model, classifier, tmp_path / "a.json"), *options])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_data_of_other_classes_is_refused(
    model: Path, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        for n in range(10):
            Image.new("L", (16, 16)).save(tmp_path / name / f"{n}.png")
    with pytest.raises(SystemExit) as caught:
        evaluate.main([*command(model, classifier, tmp_path / "a.json"), "--data", str(tmp_path)])
    assert caught.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "data must have the checkpoint's channels 1 and classes (disc, square" in said
    assert said.endswith("got 1 and (left, right)")


def test_an_output_that_cannot_be_written_is_found_before_drawing(
    model: Path, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "draw_samples", lambda *_: pytest.fail("drawn"))
    (tmp_path / "file").touch()
    (tmp_path / "folder.json").mkdir()
    for out in (tmp_path / "file" / "a.json", tmp_path / "folder.json"):
        with pytest.raises(SystemExit) as caught:
            evaluate.main(command(model, classifier, out))
        assert caught.value.code == 2
        assert "out must be a file that can be written, got" in capsys.readouterr().err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.json"]


def test_the_data_may_be_elsewhere(model: Path, classifier: Path, swept: dict, tmp_path: Path) -> None:
    """A model whose own name for its data is not to be found here is measured on what --data names."""
    for name in (CONFIG, WEIGHTS):
        (tmp_path / name).write_bytes((model / name).read_bytes())
    raw = json.loads((model / CONFIG).read_text(encoding="utf-8"))
    (tmp_path / CONFIG).write_text(json.dumps({**raw, "data": "my-pictures"}), encoding="utf-8")
    evaluate.main([*command(tmp_path, classifier, tmp_path / "a.json"), "--data", "synthetic"])
    found = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (found["data"], found["results"], found["real_baseline"]) == (
        "synthetic", swept["results"], swept["real_baseline"],
    )  # fmt: skip


def test_a_classifier_of_other_classes_is_refused(
    model: Path, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = json.loads((classifier / CONFIG).read_text(encoding="utf-8"))
    (tmp_path / CONFIG).write_text(json.dumps({**raw, "classes": ["a", "b", "c", "d"]}), encoding="utf-8")
    (tmp_path / WEIGHTS).write_bytes((classifier / WEIGHTS).read_bytes())
    with pytest.raises(SystemExit):
        evaluate.main(command(model, tmp_path, tmp_path / "a.json"))
    assert "classes (disc, square, cross, stripes), got (1, 16, 16) and (a, b, c, d)" in capsys.readouterr().err
