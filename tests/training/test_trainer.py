import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cfg_core.checkpoints import format as checkpoints
from cfg_core.checkpoints.format import WEIGHTS, load_checkpoint
from cfg_core.commands import train as command_line
from cfg_core.commands.train import main
from cfg_core.data.datasets import synthetic
from cfg_core.data.pixels import to_unit
from cfg_core.diffusion.schedule import Schedule, alpha_sigma
from cfg_core.networks.unet import UNet, UNetConfig
from cfg_core.training.loss import drop_labels
from cfg_core.training.optimizers import muon
from cfg_core.training.trainer import STATE, Options, Trainer, ema_decay, learning_rate

TWO_PROCESSES = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "--"]
ENV = os.environ | {"OMP_NUM_THREADS": "1"}
HAS_MUON = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="Muon needs torch 2.9")
SMALL = ["--widths", "16,32", "--encoder", "1,1", "--decoder", "1,1"]


def options(**changes):
    network = UNetConfig(1, 16, 4, widths=(16,), encoder=(1,), decoder=(1,))
    return replace(Options(synthetic().fingerprint, network, images=64 * 6, batch=64), **changes)


def trainer(**changes):
    return Trainer(options(**changes), synthetic(), Accelerator(cpu=True))


def advance(run, steps):
    for _ in range(steps):
        run.advance()
    return run


def command(folder, *extra):
    arguments = ["--data", "synthetic", "--run", str(folder), "--images", "6400", *SMALL, *extra]
    return [sys.executable, "-m", "cfg_core", "train", *arguments]


def test_labels_are_dropped_one_by_one_at_the_asked_rate():
    labels = torch.arange(4).repeat(25_000)
    dropped = drop_labels(labels, 4, 0.1, torch.Generator().manual_seed(0)) == 4
    assert dropped.double().mean().item() == pytest.approx(0.1, abs=0.003)
    for label in range(4):
        assert dropped[labels == label].double().mean().item() == pytest.approx(0.1, abs=0.006)
    pairs = dropped[:-1] & dropped[1:]
    assert pairs.double().mean().item() == pytest.approx(0.01, abs=0.002)


@pytest.mark.parametrize(("p_uncond", "expected"), [(0.0, False), (1.0, True)])
def test_no_label_or_every_label_can_be_dropped(p_uncond, expected):
    dropped = drop_labels(torch.zeros(1000, dtype=torch.long), 4, p_uncond, torch.Generator()) == 4
    assert (dropped == expected).all()


def test_gradients_reach_the_null_embedding():
    run = trainer(p_uncond=0.5)
    torch.nn.init.normal_(run.network.out.weight)
    for block in run.network.decoder[0]:
        torch.nn.init.normal_(block.conv2.weight)
    run.losses(*run.batch(0)).mean().backward()
    assert run.network.label_embedding.weight.grad[4].abs().max() > 0


def test_the_epsilon_weight_is_algorithm_1():
    run = trainer(loss_weight="epsilon")
    x, labels, u, eps = run.batch(0)
    alpha, sigma = (c[:, None, None, None].float() for c in alpha_sigma(Schedule().log_snr(u)))
    z = alpha * x + sigma * eps
    v = run.network(z, Schedule().log_snr(u).float(), labels)
    expected = (sigma * z + alpha * v - eps).square().mean((1, 2, 3))
    torch.testing.assert_close(run.losses(x, labels, u, eps), expected, rtol=1e-4, atol=1e-6)


def test_every_picture_is_seen_once_an_epoch():
    run = trainer(batch=128)
    seen = torch.cat([run.batch(step)[0].flatten(1) for step in range(2048 // 128)])
    once = to_unit(synthetic().images).flatten(1)
    assert torch.equal(seen[seen[:, 100].argsort()].sort(0).values, once.sort(0).values)


def test_training_lowers_the_loss():
    reports = list(trainer(images=64 * 40).run(report_every=10))
    assert reports[-1].loss < 0.95 * reports[0].loss


def test_the_report_splits_the_loss():
    run = trainer(p_uncond=0.5)
    (report,) = run.run(report_every=100)
    assert min(report.conditional, report.unconditional) <= report.loss <= max(report.conditional, report.unconditional)
    assert (report.step, report.images) == (6, 384)


def test_the_learning_rate_warms_up_and_ends_at_zero():
    o = options(images=1_000_000, batch=100)
    assert learning_rate(o, 0) == pytest.approx(o.learning_rate / 100)
    assert learning_rate(o, 100) == pytest.approx(o.learning_rate, rel=1e-3)
    assert learning_rate(o, o.steps) == 0


@pytest.mark.parametrize(
    ("decay", "quarter", "middle", "end"),
    [("cosine", 0.5 + 0.125**0.5, 0.5, 0), ("linear", 0.75, 0.5, 0), ("constant", 1, 1, 1)],
)
def test_the_learning_rate_decays_as_chosen(decay, quarter, middle, end):
    o = options(images=1_000_000, batch=100, decay=decay)
    shares = [learning_rate(o, step) / o.learning_rate for step in (0, 2500, 5000, 10_000)]
    assert shares == pytest.approx([0.01, quarter, middle, end], abs=1e-9)


@pytest.mark.parametrize("width", [0.05, 0.1, 0.25])
def test_the_ema_averages_over_its_share_of_the_run(width):
    steps = 2000
    weights, kept = [], 1.0
    for step in range(steps, 0, -1):
        decay = ema_decay(width, step)
        weights.append(kept * (1 - decay))
        kept *= decay
    profile = torch.tensor(weights[::-1], dtype=torch.float64)
    at = torch.arange(1, steps + 1, dtype=torch.float64) / steps
    mean = (profile * at).sum()
    assert (profile * (at - mean) ** 2).sum().sqrt().item() == pytest.approx(width, rel=0.05)


@pytest.mark.parametrize("optimizer", ["adamw", pytest.param("muon", marks=HAS_MUON)])
def test_a_resumed_run_ends_exactly_as_an_unbroken_one(tmp_path, optimizer):
    options = {"optimizer": optimizer, "ema": (0.1, 0.05)}
    whole = advance(trainer(**options), 6)
    first = advance(trainer(**options), 3)
    first.save(tmp_path, "")
    second = trainer(**options)
    assert second.resume(tmp_path)
    advance(second, 3)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name


@HAS_MUON
def test_a_step_of_muon_is_a_near_orthogonal_matrix_of_the_size_of_an_adamw_step():
    torch.manual_seed(0)
    network = UNet(UNetConfig(1, 16, 4, widths=(16,), encoder=(1,), decoder=(1,)))
    torch.nn.init.normal_(network.out.weight)
    torch.nn.init.normal_(network.encoder[0][0].conv2.weight)
    optimizers, kernel = muon(network), network.encoder[0][0].conv1.weight
    before = kernel.detach().clone()
    network(torch.randn(8, 1, 16, 16), torch.zeros(8), torch.arange(8) % 5).square().mean().backward()
    optimizers.step(1e-3)
    change = (kernel.detach() - before * (1 - 1e-3 * 0.01)).permute(0, 2, 3, 1).flatten(1)  # (16, 3·3·16)
    singular = torch.linalg.svdvals(change.double()) / (1e-3 * 0.2 * (3 * 3 * 16) ** 0.5)
    assert 0.5 < singular.min() < singular.max() < 1.5, "Newton-Schulz iterations bring them near 1"
    assert kernel.grad is None


def test_weights_beyond_what_a_space_takes_are_kept_in_half(tmp_path, monkeypatch):
    run = advance(trainer(), 1)
    run.save(tmp_path / "whole", "")
    monkeypatch.setattr(checkpoints, "MAX_FILE_BYTES", 1000)
    run.save(tmp_path / "half", "")
    whole, half = (tmp_path / name / "checkpoint" / WEIGHTS for name in ("whole", "half"))
    assert 0.4 < half.stat().st_size / whole.stat().st_size < 0.6
    loaded = load_checkpoint(tmp_path / "half" / "checkpoint").denoiser.network.state_dict()
    for name, tensor in run.emas[0.1].items():
        torch.testing.assert_close(loaded[name], tensor, rtol=1e-3, atol=1e-6)
        assert loaded[name].dtype == torch.float32


def test_a_model_says_that_it_is_in_training_until_it_is_not(tmp_path):
    run = advance(trainer(images=64 * 2), 1)
    run.save(tmp_path, "")
    assert load_checkpoint(tmp_path / "checkpoint").config.about.startswith("synthetic · in training, 64 images so far")
    advance(run, 1).save(tmp_path, "")
    assert load_checkpoint(tmp_path / "checkpoint").config.about.startswith("synthetic · 128 images")


def test_the_state_alone_goes_on_elsewhere(tmp_path):
    whole = advance(trainer(), 4)
    advance(trainer(), 2).save(tmp_path / "here", "")
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "state.safetensors").rename(tmp_path / "there" / "state.safetensors")
    second = trainer()
    assert second.resume(tmp_path / "there")
    advance(second, 2)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name


def prepared(monkeypatch, *arguments):
    """What the command would train, before its first step."""
    trainers = []
    monkeypatch.setattr(command_line, "follow", lambda trainer, *rest: trainers.append(trainer))
    main([*arguments, "--images", "384", "--batch", "64", *SMALL])
    return trainers[0]


def test_the_same_command_goes_on_with_the_same_pictures_elsewhere_and_refuses_others(tmp_path, monkeypatch, capsys):
    here, there, run = tmp_path / "here", tmp_path / "there", ("--run", str(tmp_path / "run"))
    for name, shade in itertools.product("ab", range(20)):
        (here / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), shade).save(here / name / f"{shade:02}.png")
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


def test_a_run_refuses_other_options(tmp_path):
    advance(trainer(), 1).save(tmp_path, "")
    with pytest.raises(ValueError, match=r"p_uncond must be 0\.1 as in the run of .*, got 0\.2"):
        trainer(p_uncond=0.2).resume(tmp_path)
    with pytest.raises(ValueError, match=r"decay must be cosine as in the run of .*, got linear"):
        trainer(decay="linear").resume(tmp_path)


@pytest.fixture
def old_state(tmp_path):
    """A run saved before its data had a fingerprint, and before a decay could be chosen."""
    advance(trainer(data="synthetic"), 1).save(tmp_path, "")
    path = tmp_path / STATE
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    options = json.loads(metadata["options"])
    del options["decay"]
    save_file(load_file(path), path, metadata | {"options": json.dumps(options)})
    return tmp_path


def test_an_old_state_goes_on_with_the_data_of_its_name_and_with_the_cosine(old_state):
    assert trainer().resume(old_state)
    with pytest.raises(ValueError, match=r"decay must be cosine as in the run of .*, got constant"):
        trainer(decay="constant").resume(old_state)
    other = Trainer(options(), replace(synthetic(), name="other"), Accelerator(cpu=True))
    with pytest.raises(
        ValueError, match=r"data must be synthetic as in the run of .*, got 2,048 pictures in 4 classes"
    ):
        other.resume(old_state)


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    saves = ["--save-every", "1280", "--sheet-every", "1000000"]
    subprocess.run(command(tmp_path / "whole", *saves), check=True, capture_output=True)
    broken = tmp_path / "broken"
    process = subprocess.Popen(command(broken, *saves), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (broken / "log.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert json.loads((broken / "log.jsonl").read_text().splitlines()[-1])["images"] < 6400
    subprocess.run(command(broken, *saves), check=True, capture_output=True)
    expected, found = (load_file(tmp_path / run / "state.safetensors") for run in ("whole", "broken"))
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


def test_two_processes_learn_what_one_learns(tmp_path):
    few = ["--images", "640", "--save-every", "640", "--sheet-every", "1000000"]
    subprocess.run(command(tmp_path / "one", *few), check=True, capture_output=True)
    subprocess.run([*TWO_PROCESSES, *command(tmp_path / "two", *few)[2:]], check=True, capture_output=True, env=ENV)
    one, both = (load_file(tmp_path / run / "state.safetensors") for run in ("one", "two"))
    log = json.loads((tmp_path / "two" / "log.jsonl").read_text().splitlines()[-1])
    alone = json.loads((tmp_path / "one" / "log.jsonl").read_text().splitlines()[-1])
    assert log["loss"] == pytest.approx(alone["loss"], rel=1e-3)
    for name in (name for name in one if name.startswith("network.")):
        torch.testing.assert_close(both[name], one[name], rtol=0.02, atol=0.005)


def test_each_of_two_processes_has_a_share_of_the_batch(tmp_path):
    run = [*TWO_PROCESSES, *command(tmp_path, "--batch", "1")[2:]]
    refused = subprocess.run(run, check=False, capture_output=True, text=True, env=ENV)
    assert "batch divided by the number of processes must be a number from 1 to 1, got 0.5" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "mnist"], "data must be one of"),
        (["--p-uncond", "1.5"], "p_uncond must be a number from 0 to 1, got 1.5"),
        (["--p-uncond", "nan"], "p_uncond must be a number from 0 to 1, got nan"),
        (["--images", "0"], "images must be a whole number from 1"),
        (["--widths", "20"], "widths, encoder and decoder must have one entry a level"),
        (["--widths", "20,40"], "widths must be multiples of 16, got 20"),
        (["--widths", "a"], "argument --widths"),
        (["--loss-weight", "x"], "loss_weight must be one of v, epsilon, min_snr, got 'x'"),
        (["--decay", "x"], "decay must be one of cosine, linear, constant, got 'x'"),
        (["--log-snr", "5", "-5"], "log_snr_min must be finite and below log_snr_max"),
        (["--ema", "0.9"], "ema must be a number from 0.01 to 0.28, got 0.9"),
    ],
)
def test_bad_options_exit_with_one_sentence(arguments, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--data", "synthetic", "--run", str(tmp_path), *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
