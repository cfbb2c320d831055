"""A sweep in its folder: killed and resumed, divided between processes, refused before it draws."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torch import Tensor

from cfg_core.checkpoints.format import CONFIG, WEIGHTS
from cfg_core.commands import evaluate
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.evaluation import run, sweep
from cfg_core.evaluation.metrics import Figures
from cfg_core.evaluation.sweep import Options, claim_folder, draw_samples
from tests.evaluation.small_sweeps import command, undated


class Killed(BaseException):
    pass


def test_a_sweep_killed_while_it_draws_resumes_to_the_same_file_without_drawing_again(
    model: Path, classifier: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def killed(denoiser: Denoiser, options: Options, samples: range) -> Iterator[Tensor]:
        if samples.start >= 960:
            raise Killed
        return draw_samples(denoiser, options, samples)

    def noted(denoiser: Denoiser, options: Options, samples: range) -> Iterator[Tensor]:
        drawn.extend(samples)
        return draw_samples(denoiser, options, samples)

    again = [*command(model, classifier, tmp_path / "again.json"), "--note", "a test"]
    monkeypatch.setattr(sweep, "draw_samples", killed)
    with pytest.raises(Killed):
        evaluate.main(again)
    monkeypatch.setattr(sweep, "draw_samples", noted)
    evaluate.main(again)
    assert sorted(drawn) == list(range(960, 1000))
    assert undated(tmp_path / "again.json") == undated(out)
    assert {path.name for path in tmp_path.iterdir()} == {"again.json", "again.csv"}


def test_a_sweep_killed_while_it_measures_keeps_the_figures_that_are_finished(
    model: Path, classifier: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[Figures] = []
    measure_once, measure = run.measure_once, sweep.measure

    def killed(folder: Path, name: str, *rest: Any) -> Figures:
        if name == "1":
            raise Killed
        return measure_once(folder, name, *rest)

    def noted(*given: Any) -> Figures:
        measured.append(measure(*given))
        return measured[-1]

    again = [*command(model, classifier, tmp_path / "again.json"), "--note", "a test"]
    monkeypatch.setattr(run, "measure_once", killed)
    with pytest.raises(Killed):
        evaluate.main(again)
    monkeypatch.setattr(run, "measure_once", measure_once)
    monkeypatch.setattr(sweep, "measure", noted)
    monkeypatch.setattr(sweep, "draw_samples", lambda *_: pytest.fail("drawn again"))
    evaluate.main(again)
    assert len(measured) == 1, "real pictures and w = 0 were finished"
    assert undated(tmp_path / "again.json") == undated(out)


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
