import itertools
import re
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file, save_file

from cfg_core.checkpoints.format import CARD, CONFIG, WEIGHTS, load_checkpoint
from cfg_core.commands import train as command_line
from cfg_core.commands.train import main
from cfg_core.devices import DEFAULT_THREADS
from cfg_core.training.loss import LOSS_WEIGHTS
from tests.training.small_runs import SMALL, advance, command


def prepared(monkeypatch, *arguments):
    """What the command would train, before its first step."""
    trainers = []
    monkeypatch.setattr(command_line, "follow", lambda trainer, *rest: trainers.append(trainer))
    main([*arguments, "--images", "384", "--batch", "64", *SMALL])
    return trainers[0]


def folder_of_pictures(folder: Path) -> Path:
    for name, shade in itertools.product("ab", range(20)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), shade).save(folder / name / f"{shade:02}.png")
    return folder


def test_the_same_command_goes_on_with_the_same_pictures_elsewhere_and_refuses_others(tmp_path, monkeypatch, capsys):
    here, there, run = folder_of_pictures(tmp_path / "here"), tmp_path / "there", ("--run", str(tmp_path / "run"))
    whole = advance(prepared(monkeypatch, "--data", str(here), "--run", str(tmp_path / "unbroken")), 4)
    advance(prepared(monkeypatch, "--data", str(here), *run), 2).save(tmp_path / "run", "")
    here.rename(there)
    second = advance(prepared(monkeypatch, "--data", str(there), *run), 2)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name
    Image.new("L", (8, 8), 99).save(there / "b" / "00.png")
    with pytest.raises(SystemExit):
        prepared(monkeypatch, "--data", str(there), *run)
    refusal = r"data must be 36 pictures in 2 classes \(\w+\) as in the run of .*, got 36 pictures in 2 classes \("
    assert re.search(refusal, capsys.readouterr().err)


def test_the_same_command_goes_on_in_the_precision_of_the_run_whatever_suits_the_machine(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(command_line, "Accelerator", lambda **how: asked.append(how) or Accelerator(cpu=True))
    begin = "--data", "synthetic", "--run", str(tmp_path)
    advance(prepared(monkeypatch, *begin, "--precision", "bfloat16"), 1).save(tmp_path, "")
    run = prepared(monkeypatch, *begin)
    assert (run.step, run.options.precision, asked[-1]["mixed_precision"]) == (1, "bfloat16", "bf16")
    with pytest.raises(SystemExit):
        prepared(monkeypatch, *begin, "--precision", "float32")
    assert "precision must be bfloat16 as in the run of" in capsys.readouterr().err


def test_a_run_may_begin_with_the_weights_of_another(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    few = ["--images", "640", "--save-every", "640", "--sheet-every", "1000000"]
    main(command(first, *few)[4:])
    main(command(second, *few, "--start", str(first / "checkpoint"), "--learning-rate", "1e-8")[4:])
    old, new = (load_checkpoint(run / "checkpoint") for run in (first, second))
    assert new.config.images_seen == 2 * old.config.images_seen == 1280
    for name, tensor in old.denoiser.network.state_dict().items():
        torch.testing.assert_close(new.denoiser.network.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)


def test_a_start_of_another_network_is_refused(tmp_path, capsys):
    few = ["--images", "128", "--save-every", "128", "--sheet-every", "1000000"]
    main(command(tmp_path / "first", *few)[4:])
    start = str(tmp_path / "first" / "checkpoint")
    with pytest.raises(SystemExit):
        main(["--data", "synthetic", "--run", str(tmp_path / "second"), "--start", start])
    assert "start must be a model of UNetConfig" in capsys.readouterr().err


def test_a_start_whose_weights_are_not_finite_is_refused(tmp_path, capsys):
    few = ["--images", "128", "--save-every", "128", "--sheet-every", "1000000"]
    main(command(tmp_path / "first", *few)[4:])
    path = tmp_path / "first" / "checkpoint" / WEIGHTS
    weights = load_file(path)
    weights["out.bias"][0] = torch.nan
    save_file(weights, path)
    with pytest.raises(SystemExit) as ended:
        main(command(tmp_path / "second", "--start", str(path.parent))[4:])
    assert ended.value.code == 2
    assert re.search(r"weights must be finite, got 1 of \d+ tensors that are not", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "mnist"], "data must be one of"),
        (["--p-uncond", "1.5"], "p_uncond must be a number from 0 to 1, got 1.5"),
        (["--p-uncond", "nan"], "p_uncond must be a number from 0 to 1, got nan"),
        (["--images", "0"], "images must be a whole number from 1"),
        (["--widths", "20"], "widths, encoder and decoder must have one entry a level"),
        (["--widths", "20,40"], "widths must be multiples of 16, got 20"),
        (
            ["--widths", "a"],
            "--widths: must be whole numbers with commas between them, such as 64,128, got 'a'",
        ),
        (["--loss-weight", "x"], "loss_weight must be one of v, epsilon, min_snr, got 'x'"),
        (["--decay", "x"], "decay must be one of cosine, linear, constant, stable, got 'x'"),
        (["--log-snr", "5", "-5"], "log_snr_min must be finite and below log_snr_max"),
        (["--log-snr", "-200", "20"], "log_snr_min must be a number from -100 to 100, got -200"),
        (["--save-every", "0"], "save_every must be a whole number from 1 to 1e+12, got 0"),
        (["--save-every", "-5"], "save_every must be a whole number from 1 to 1e+12, got -5"),
        (["--sheet-every", "0"], "sheet_every must be a whole number from 1 to 1e+12, got 0"),
        (["--size", "2"], "size must be a whole number from 4 to 1024, got 2"),
        (["--ema", "0.9"], "ema must be a number from 0.01 to 0.28, got 0.9"),
    ],
)
def test_bad_options_exit_with_one_sentence(arguments, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--data", "synthetic", "--run", str(tmp_path), *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("option", [["--save-every", "0"], ["--decay", "x"], ["--widths", "20"], ["--seed", "-1"]])
def test_options_are_checked_before_the_data_is_read(option, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--data", "no such data", "--run", str(tmp_path), *option])
    assert "data" not in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("taken", ["run", "run/checkpoint", "run/sheets"])
def test_a_run_that_cannot_be_written_is_refused_before_the_first_step(taken, tmp_path, capsys):
    path = tmp_path / taken
    path.parent.mkdir(exist_ok=True)
    path.write_text("a file where a folder must be", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(command(tmp_path / "run")[4:])
    assert ended.value.code == 2
    assert f"run must be a folder that can be written, got {path}" in capsys.readouterr().err.splitlines()[-1]


def test_a_loss_that_is_not_finite_ends_the_command_and_keeps_the_last_good_state(tmp_path, monkeypatch, capsys):
    few = ["--images", "160", "--batch", "4", "--save-every", "1", "--sheet-every", "1000000"]
    losses = itertools.count(1)
    monkeypatch.setitem(LOSS_WEIGHTS, "v", lambda alpha, _: alpha * (torch.nan if next(losses) == 31 else 1))
    with pytest.raises(SystemExit) as ended:
        main(command(tmp_path, *few)[4:])
    assert ended.value.code == 1
    assert "error: loss must be finite, got nan in step 31 of 40; what was saved in" in capsys.readouterr().err
    assert load_checkpoint(tmp_path / "checkpoint").config.images_seen == 100
    assert all(tensor.isfinite().all() for tensor in load_file(tmp_path / "state.safetensors").values())


def test_what_is_shared_of_a_run_has_the_own_names_of_folders_and_no_paths(tmp_path):
    secret = tmp_path / "clients"
    pictures, run = folder_of_pictures(secret / "pics"), secret / "runs" / "mine"
    few = ["--images", "16", "--batch", "4", "--save-every", "16", "--sheet-every", "1000000"]
    main([f"--data={pictures}/", "--data-root", str(secret), "--run", str(run), *few, *SMALL])
    config = load_checkpoint(run / "checkpoint").config
    assert config.data == "pics"
    assert config.command.startswith("python -m cfg_core train --data=pics --data-root clients --run mine --images 16")
    for name in (CONFIG, CARD):
        assert str(secret) not in (run / "checkpoint" / name).read_text(encoding="utf-8")


def test_every_thread_that_torch_finds_is_used_with_a_start_too(tmp_path, monkeypatch):
    begin = "--data", "synthetic", "--run"
    advance(prepared(monkeypatch, *begin, str(tmp_path / "first")), 1).save(tmp_path / "first", "")
    torch.set_num_threads(1)
    prepared(monkeypatch, *begin, str(tmp_path / "second"), "--start", str(tmp_path / "first" / "checkpoint"))
    assert torch.get_num_threads() == DEFAULT_THREADS


def test_the_help_shows_defaults_as_they_are_typed():
    text = " ".join(command_line.parser().format_help().split())
    for shown in ("(default: 48,96)", "(default: -20 20)", "(default: 0.1)", "(default: 0)", "(default: cosine)"):
        assert shown in text
    assert "None" not in text
