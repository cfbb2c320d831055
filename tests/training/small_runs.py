"""A run that is small enough for tests, in Python and on the command line."""

import sys
from dataclasses import replace

from accelerate import Accelerator

from cfg_core.data.datasets import synthetic
from cfg_core.networks.unet import UNetConfig
from cfg_core.training.options import Options
from cfg_core.training.trainer import Trainer

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
