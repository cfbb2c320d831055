"""``python -m cfg_core classifier``."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from cfg_core.checkpoints.classifiers import ClassifierConfig, load_classifier
from cfg_core.checkpoints.format import CARD, CONFIG
from cfg_core.commands.classifier import WIDTHS, main
from cfg_core.data.datasets import load_dataset
from cfg_core.data.pixels import to_unit
from cfg_core.training import classifiers as training
from cfg_core.training.state import STATE


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--data", "mnist"),
        ("--epochs", "0"),
        ("--batch", "1"),
        ("--learning-rate", "nan"),
        ("--optimizer", "sgd"),
        ("--seed", "-1"),
        ("--shift", "9999"),
        ("--cut-out", "9"),
        ("--smoothing", "1"),
    ],
)
def test_bad_options_exit_with_2_and_a_sentence(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--data", "synthetic", "--out", str(tmp_path), option, value])
    assert caught.value.code == 2
    assert f"{option.removeprefix('--')} must be" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("kind", [[], ["--noisy"]])
def test_a_clean_classifier_begins_at_full_resolution_and_a_noise_aware_one_does_not(kind, tmp_path):
    data = pictures(tmp_path / "pics", bar=20, blank=20)
    main(["--data", str(data), "--out", str(tmp_path / "out"), "--epochs", "1", "--batch", "16", *kind])
    architecture = ClassifierConfig.from_json((tmp_path / "out" / CONFIG).read_text(encoding="utf-8")).architecture
    assert (architecture.stem > 0) == (not kind)
    assert architecture.widths == WIDTHS


@pytest.mark.parametrize("kind", [[], ["--noisy"]])
def test_the_defaults_learn_a_small_set_of_mirror_images(kind: list[str], tmp_path: Path) -> None:
    for name, side in (("left", 0), ("right", 8)):
        (tmp_path / "pics" / name).mkdir(parents=True)
        for n in range(100):
            picture = Image.new("L", (16, 16), n)
            picture.paste(n + 128, (side, 0, side + 8, 16))
            picture.save(tmp_path / "pics" / name / f"{n}.png")
    command = ["--data", str(tmp_path / "pics"), "--out", str(tmp_path / "out"), "--epochs", "8", "--widths", "16,32"]
    main([*command, *kind])
    config = ClassifierConfig.from_json((tmp_path / "out" / CONFIG).read_text(encoding="utf-8"))
    assert config.test_accuracy > 0.8


def test_held_out_pictures_are_not_trained_on_and_calibrate_what_is_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "LEAST_HELD_OUT", 10)  # of the 2,048 synthetic pictures 41
    main(["--data", "synthetic", "--epochs", "2", "--batch", "64", "--widths", "16,32", "--out", str(tmp_path)])
    classifier, test = load_classifier(tmp_path), load_dataset("synthetic", "test")
    sure = float(classifier.probabilities(to_unit(test.images)).amax(1).mean())
    assert sure > 0.9, "the smoothing of targets alone would leave it below 0.85"
    assert classifier.config.images_seen == 2 * (2048 - 41)
    assert f"predicted class is {sure:.2%}" in (tmp_path / CARD).read_text(encoding="utf-8")


def test_a_run_that_was_killed_is_resumed_by_the_same_command_and_leaves_no_state_behind(tmp_path, capfd):
    out, epochs = tmp_path / "run", 20
    command = ["--data", "synthetic", "--epochs", str(epochs), "--batch", "2048", "--widths", "8", "--out", str(out)]
    process = subprocess.Popen([sys.executable, "-m", "cfg_core", "classifier", *command])
    while not (out / STATE).exists():
        assert process.poll() is None, "it ended before its first epoch did"
        time.sleep(0.01)
    process.kill()
    process.wait()
    with pytest.raises(SystemExit):
        main([*command, "--seed", "1"])
    assert "seed must be 0 as in the run of" in capfd.readouterr().err
    main(command)
    assert not (out / STATE).exists()
    assert load_classifier(out).config.images_seen == epochs * 2048


def test_the_help_states_the_defaults_of_both_recipes(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "pictures a step, by default fewer of a small set (default: 500; 256 with --noisy)" in words
    assert "its peak (default: 0.005)" in words


def pictures(folder: Path, **counts: int) -> Path:
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for n in range(count):
            Image.new("L", (16, 16), 20 * n % 256).save(folder / name / f"{n:03}.png")
    return folder


@pytest.mark.parametrize("kind", [[], ["--noisy"]])
def test_a_class_with_one_held_out_picture_is_no_obstacle_and_paths_are_not_recorded(kind, tmp_path):
    data, out = pictures(tmp_path / "clients" / "pics", bar=20, blank=12), tmp_path / "clients" / "out"
    main(["--data", f"{data}/", "--out", str(out), "--epochs", "1", "--batch", "16", "--widths", "16", *kind])
    assert str(tmp_path) not in (out / CONFIG).read_text(encoding="utf-8") + (out / CARD).read_text(encoding="utf-8")
    if not kind:
        config = load_classifier(out).config
        assert config.spread > 0
        assert (config.data, config.command.split()[4:8]) == ("pics", ["--data", "pics", "--out", "out"])


@pytest.mark.parametrize("option", [["--epochs", "0"], ["--widths", "0"], ["--precision", "x"]])
def test_options_are_checked_before_the_data_is_read(option, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--data", "no such data", "--out", str(tmp_path), *option])
    assert "data" not in capsys.readouterr().err.splitlines()[-1]


def test_an_output_that_cannot_be_written_is_refused_before_the_first_step(tmp_path, capsys):
    (tmp_path / "taken").write_text("a file where a folder must be", encoding="utf-8")
    for out in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(SystemExit) as ended:
            main(["--data", "synthetic", "--out", str(out)])
        assert ended.value.code == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert f"out must be a folder that can be written, got {out}" in error
