"""The folder of a run: one process at a time, a log that agrees with the state, and one sentence where it cannot be
written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cfg_core.checkpoints.model_folder import WEIGHTS
from cfg_core.commands.train import main
from cfg_core.training import run
from cfg_core.training.run import LOCK, LOG, claimed, write_log
from cfg_core.training.state import STATE
from cfg_core.training.trainer import Report, Trainer
from tests.training.small_runs import command

FEW = ["--batch", "16", "--images", "1200", "--save-every", "400", "--sheet-every", "400"]


def log(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]


CLAIM = """
import sys, time
from pathlib import Path
from cfg_core.training.run import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    time.sleep(600)
"""


def test_the_second_process_on_a_folder_is_refused_until_the_first_has_ended_in_whatever_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", CLAIM, tmp_path], stdout=subprocess.PIPE) as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline().split() == [b"claimed"]
            with pytest.raises(SystemExit) as refused:
                main(command(tmp_path, *FEW)[4:])
            assert refused.value.code == 2
            sentence = f"run must be a folder in which no other process trains, got {tmp_path}"
            assert capsys.readouterr().err.splitlines()[-1].endswith(sentence)
            assert [path.name for path in tmp_path.iterdir()] == [LOCK]
        finally:
            first.kill()
    with claimed(tmp_path):
        pass


def test_a_folder_is_free_again_after_a_command(tmp_path: Path) -> None:
    for _ in range(2):
        main(command(tmp_path, "--batch", "16", "--images", "16", "--sheet-every", "1000000")[4:])


KILLED = """
import os, sys
from cfg_core.commands.train import main
from cfg_core.training import trainer
from cfg_core.training.trainer import Trainer
call, at, step = sys.argv[1:4]
part = Trainer if hasattr(Trainer, call) else trainer
original = getattr(part, call)
def killed(*arguments, **options):
    run = killed.run = arguments[0] if isinstance(arguments[0], Trainer) else killed.run
    if at == "before" and run.step == int(step):
        os._exit(9)
    found = original(*arguments, **options)
    if at == "after" and run.step == int(step):
        os._exit(9)
    return found
killed.run = None
setattr(part, call, killed)
if part is trainer:
    save = Trainer.save
    def noted(run, *rest):
        killed.run = run
        return save(run, *rest)
    Trainer.save = noted
main(sys.argv[4:])
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing broke off."""
    folder = tmp_path_factory.mktemp("whole")
    main(command(folder, *FEW)[4:])
    return folder


@pytest.mark.parametrize(
    ("call", "at"), [("save", "before"), ("write_state", "before"), ("write_state", "after"), ("save", "after")]
)
def test_a_run_killed_while_it_saves_goes_on_as_if_it_had_not_been(
    whole: Path, tmp_path: Path, call: str, at: str
) -> None:
    broken = tmp_path / "broken"
    arguments = [sys.executable, "-c", KILLED, call, at, "50", *command(broken, *FEW)[4:]]
    assert subprocess.run(arguments, check=False, capture_output=True).returncode == 9
    main(command(broken, *FEW)[4:])
    assert [line["step"] for line in log(broken)] == [25, 50, 75]
    assert log(broken) == log(whole)
    for path in [*whole.rglob("*.png"), whole / "checkpoint" / WEIGHTS]:
        assert (broken / path.relative_to(whole)).read_bytes() == path.read_bytes(), path.name
    expected, found = load_file(whole / STATE), load_file(broken / STATE)
    assert expected.keys() == found.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


def report(step: int) -> Report:
    return Report(step, 16 * step, 0.5, 0.5, None)


def test_the_log_has_each_step_once_and_no_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / LOG
    for step in (25, 50):
        write_log(path, report(step))
    whole = path.read_bytes()
    for rest in (b'{"step": 75, "im', b"[1]\n", b'{"step": "75"}\n', b"\xff\xfe\n", b'{"step": 75}\n'):
        path.write_bytes(whole + rest)
        write_log(path, report(75))
        assert [line["step"] for line in log(tmp_path)] == [25, 50, 75]
        assert path.read_bytes().startswith(whole)


@pytest.mark.parametrize("taken", ["state.safetensors", LOG, "checkpoint/model.safetensors", "checkpoint/config.json"])
def test_a_run_with_a_folder_in_the_place_of_a_file_is_refused(
    taken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / taken).mkdir(parents=True)
    with pytest.raises(SystemExit) as refused:
        main(command(tmp_path, *FEW)[4:])
    assert refused.value.code == 2
    [sentence] = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert taken.rsplit("/", 1)[-1] in sentence


def test_a_folder_that_can_no_longer_be_written_ends_the_run_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = Trainer.save

    def taken(trainer: Trainer, folder: Path, command: str) -> None:
        (tmp_path / LOG).unlink()
        (tmp_path / LOG).mkdir()
        save(trainer, folder, command)

    monkeypatch.setattr(Trainer, "save", taken)
    with pytest.raises(SystemExit) as ended:
        main(command(tmp_path, *FEW)[4:])
    assert ended.value.code == 1
    sentence = capsys.readouterr().err.splitlines()[-1]
    assert "Is a directory" in sentence or "Permission denied" in sentence
    assert sentence.endswith("what was saved in " + str(tmp_path) + " before is kept")


def test_a_sheet_whose_samples_are_not_finite_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def overflow(*_: object) -> None:
        raise ValueError("samples must be finite, got 1 of 2 values that are not")

    monkeypatch.setattr(run, "draw_grid", overflow)
    main(command(tmp_path, *FEW)[4:])
    assert [line["step"] for line in log(tmp_path)] == [25, 50, 75]
    assert not (tmp_path / "sheets").exists()
    assert "no sample sheet after 400 images: samples must be finite" in caplog.text
