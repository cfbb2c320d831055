"""``python -m cfg_core train``: joint training with classifier-free guidance."""

import argparse
import shlex
import sys
from pathlib import Path

import torch
from accelerate import Accelerator

from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.checks import number, whole_numbers
from cfg_core.data.datasets import DATA_HELP, load_dataset
from cfg_core.devices import choose_device
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.unet import UNetConfig
from cfg_core.training.loss import LOSS_WEIGHTS
from cfg_core.training.optimizers import OPTIMIZERS
from cfg_core.training.run import follow
from cfg_core.training.trainer import DECAYS, PRECISIONS, Options, Trainer, saved_options


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the shipped Fashion-MNIST model."""
    p = argparse.ArgumentParser("python -m cfg_core train", description="Joint training with classifier-free guidance.")
    p.add_argument("--data", default="fashion_mnist", help=DATA_HELP)
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--size", type=int, help="crop and resize every picture to so many pixels a side")
    p.add_argument("--run", type=Path, required=True, help="folder of the run; the same command again resumes it")
    p.add_argument("--images", type=int, default=Options.images, help="pictures to train on, in all")
    p.add_argument("--batch", type=int, default=Options.batch, help="pictures a step, over all processes")
    p.add_argument("--p-uncond", type=float, default=Options.p_uncond, help="probability of dropping a label")
    p.add_argument("--loss-weight", default=Options.loss_weight, help=f"one of {', '.join(LOSS_WEIGHTS)}")
    p.add_argument("--learning-rate", type=float, default=Options.learning_rate)
    p.add_argument("--decay", default=Options.decay, help=f"of the learning rate, one of {', '.join(DECAYS)}")
    p.add_argument("--optimizer", default=Options.optimizer, help=f"one of {', '.join(OPTIMIZERS)}")
    p.add_argument("--ema", type=float, nargs="+", default=Options.ema, help="widths of the EMAs, as shares of the run")
    p.add_argument("--log-snr", type=float, nargs=2, default=(-20.0, 20.0), metavar=("MIN", "MAX"))
    p.add_argument("--widths", type=whole_numbers, default=UNetConfig.widths, metavar="48,96")
    p.add_argument("--encoder", type=whole_numbers, default=UNetConfig.encoder, metavar="2,3", help="blocks a level")
    p.add_argument("--decoder", type=whole_numbers, default=UNetConfig.decoder, metavar="2,1", help="blocks a level")
    p.add_argument("--late", action=argparse.BooleanOptionalAction, default=True, help="class in the decoder only")
    p.add_argument("--precision", help=f"one of {', '.join(PRECISIONS)}; else the run's, for a new one what suits here")
    p.add_argument("--start", help="begin with the weights of this model, a folder or a Hub name, of the same network")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--save-every", type=int, default=20_000, help="pictures between saves")
    p.add_argument("--sheet-every", type=int, default=50_000, help="pictures between sample sheets")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Train as the command line says; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core train " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    try:
        dataset = load_dataset(a.data, root=a.data_root, size=a.size)
        channels, size = dataset.images.shape[1:3]
        network = UNetConfig(channels, size, len(dataset.classes), a.widths, a.encoder, a.decoder, a.late)
        start = load_checkpoint(a.start) if a.start else None
        if start and start.config.architecture != network:
            raise ValueError(f"start must be a model of {network}, got one of {start.config.architecture}")
        usual = "bfloat16" if torch.cuda.is_available() else "float32"
        precision = a.precision or saved_options(a.run).get("precision", usual)
        options = Options(
            dataset.fingerprint, network, Schedule(*a.log_snr), a.p_uncond, a.loss_weight, a.images, a.batch,
            a.learning_rate, a.decay, a.optimizer, tuple(a.ema), a.seed, start.hash if start else "",
            start.config.images_seen if start else 0, precision,
        )  # fmt: skip
        on_cpu = choose_device().type == "cpu"  # else several processes there would not know of each other
        accelerator = Accelerator(cpu=on_cpu, mixed_precision=PRECISIONS[options.precision])
        number("batch divided by the number of processes", a.batch / accelerator.num_processes, 1, a.batch)
        trainer = Trainer(options, dataset, accelerator)
        if not trainer.resume(a.run) and start:
            trainer.begin_with(start.denoiser.network.state_dict())
    except (ValueError, OSError) as error:
        p.error(str(error))
    follow(trainer, a.run, command, a.save_every, a.sheet_every)
