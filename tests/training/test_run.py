"""Whole runs, in processes of their own where they are killed, divided among two or stopped."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from cfg_core.commands.train import main
from tests.training.small_runs import command

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
TWO_PROCESSES = [*TORCHRUN, "-m", "--"]
ENV = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}


KILLED = """
import os, sys
from cfg_core.commands.train import main
from cfg_core.training.trainer import Trainer
advance = Trainer.advance
def killed_before_step_31(self):
    if self.step == 30:
        os._exit(9)
    return advance(self)
Trainer.advance = killed_before_step_31
main(sys.argv[1:])
"""


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    saves = ["--batch", "16", "--images", "640", "--save-every", "128", "--sheet-every", "1000000"]
    main(command(tmp_path / "whole", *saves)[4:])
    broken = tmp_path / "broken"
    arguments = command(broken, *saves)[4:]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, capture_output=True)
    assert killed.returncode == 9
    assert [json.loads(line)["images"] for line in (broken / "log.jsonl").read_text(encoding="utf-8").splitlines()] == [
        400
    ]
    main(arguments)
    expected, found = (load_file(tmp_path / run / "state.safetensors") for run in ("whole", "broken"))
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    log = [json.loads(line)["images"] for line in (broken / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert log == [400, 640]


@pytest.mark.parametrize("batch", ["128", "3"])
def test_two_processes_learn_what_one_learns_with_unequal_shares_too(tmp_path, batch):
    few = ["--images", str(5 * int(batch)), "--batch", batch, "--save-every", "640", "--sheet-every", "1000000"]
    main(command(tmp_path / "one", *few)[4:])
    subprocess.run([*TWO_PROCESSES, *command(tmp_path / "two", *few)[2:]], check=True, capture_output=True, env=ENV)
    one, both = (load_file(tmp_path / run / "state.safetensors") for run in ("one", "two"))
    log = json.loads((tmp_path / "two" / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    alone = json.loads((tmp_path / "one" / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert log["loss"] == pytest.approx(alone["loss"], rel=1e-3)
    moments = [name for name in one if name.endswith("exp_avg")]
    size = sum(one[name].square().sum() for name in moments)
    assert sum((both[name] - one[name]).square().sum() for name in moments) < 0.01**2 * size
    for name in (name for name in one if name.startswith("network.")):
        torch.testing.assert_close(both[name], one[name], rtol=0.02, atol=0.005)


def test_two_processes_resume_a_run_of_one(tmp_path):
    few = command(tmp_path, "--images", "40", "--batch", "4", "--sheet-every", "1000000")
    main(few[4:])
    subprocess.run([*TWO_PROCESSES, *few[2:]], check=True, capture_output=True, env=ENV)


def test_each_of_two_processes_has_a_share_of_the_batch(tmp_path):
    run = [*TWO_PROCESSES, *command(tmp_path, "--batch", "1")[2:]]
    refused = subprocess.run(run, check=False, capture_output=True, encoding="utf-8", env=ENV)
    assert "batch divided by the number of processes must be a number from 1 to 1, got 0.5" in refused.stderr


NOT_FINITE = """
import os, sys
from cfg_core.commands.train import main
from cfg_core.training.loss import LOSS_WEIGHTS
calls = 0
def spoilt(alpha, sigma):
    global calls
    calls += 1
    return alpha * (float("nan") if calls == 31 and os.environ["RANK"] == "1" else 1)
LOSS_WEIGHTS["v"] = spoilt
main(sys.argv[1:])
"""


def test_both_of_two_processes_stop_when_the_loss_of_one_is_not_finite(tmp_path):
    (tmp_path / "spoilt.py").write_text(NOT_FINITE, encoding="utf-8")
    few = ["--batch", "4", "--images", "160", "--save-every", "1", "--sheet-every", "1000000"]
    run = [*TORCHRUN, "--", str(tmp_path / "spoilt.py"), *command(tmp_path / "run", *few)[4:]]
    stopped = subprocess.run(run, check=False, capture_output=True, encoding="utf-8", env=ENV, timeout=300)
    assert stopped.returncode != 0
    assert stopped.stderr.count("error: loss must be finite, got nan in step 31 of 40; what was saved in") == 1
    with safe_open(tmp_path / "run" / "state.safetensors", "pt") as file:
        assert file.metadata()["step"] == "25"
    for name, tensor in load_file(tmp_path / "run" / "state.safetensors").items():
        assert tensor.isfinite().all(), name
