"""``python -m cfg_core train``: joint training with classifier-free guidance."""

import argparse
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import AutocastKwargs

from cfg_core.checkpoints.format import check_checkpoint_writable, load_checkpoint
from cfg_core.checks import number, one_line
from cfg_core.commands.common import (
    add_data_options,
    command_parser,
    progress_bar,
    recorded_command,
    whole_numbers,
)
from cfg_core.data.datasets import load_dataset
from cfg_core.devices import choose_device, set_cpu_threads
from cfg_core.diffusion.schedule import Schedule
from cfg_core.files import check_writable
from cfg_core.networks.unet import UNetConfig
from cfg_core.training.finite import NotFiniteError
from cfg_core.training.learning_rate import DECAYS
from cfg_core.training.loss import LOSS_WEIGHTS
from cfg_core.training.optimizers import OPTIMIZERS
from cfg_core.training.options import PRECISIONS, Options
from cfg_core.training.run import LOG, SHEETS, claimed, follow
from cfg_core.training.state import STATE, saved_options
from cfg_core.training.trainer import Trainer, checkpoint_name

EVERY = {"cpu": (20_000, 50_000), "cuda": (1_000_000, 1_000_000)}
"""Device type → pictures between saves and between sheets. A GPU takes seconds for what takes a CPU minutes."""


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the shipped Fashion-MNIST model."""
    p = command_parser("train", "Joint training with classifier-free guidance.")
    add_data_options(p)
    run = p.add_argument_group("run")
    run.add_argument("--run", type=Path, required=True, help="folder of the run; the same command again resumes it")
    run.add_argument("--images", type=int, default=Options.images, help="pictures to train on, in all")
    run.add_argument("--batch", type=int, default=Options.batch, help="pictures a step, over all processes")
    run.add_argument("--seed", type=int, default=Options.seed, help="of weights, order, noise and dropped labels")
    saves, sheets = EVERY["cuda" if torch.cuda.is_available() else "cpu"]
    run.add_argument("--save-every", type=int, default=saves, help="pictures between saves, at least 25 steps")
    run.add_argument("--sheet-every", type=int, default=sheets, help="pictures between sample sheets, likewise")
    run.add_argument(
        "--precision", help=f"one of {', '.join(PRECISIONS)}; else the run's, for a new one what suits the machine"
    )
    run.add_argument("--start", help="begin with the weights of this model of the same network, a folder or a Hub name")
    loss = p.add_argument_group("loss")
    loss.add_argument("--p-uncond", type=float, default=Options.p_uncond, help="probability of dropping a label")
    loss.add_argument("--loss-weight", default=Options.loss_weight, help=f"one of {', '.join(LOSS_WEIGHTS)}")
    loss.add_argument(
        "--log-snr", type=float, nargs=2, default=(-20.0, 20.0), metavar=("MIN", "MAX"), help="range of λ, within ±100"
    )
    steps = p.add_argument_group("steps")
    steps.add_argument("--optimizer", default=Options.optimizer, help=f"one of {', '.join(OPTIMIZERS)}")
    steps.add_argument("--learning-rate", type=float, default=Options.learning_rate, help="its peak")
    steps.add_argument("--decay", default=Options.decay, help=f"of the learning rate, one of {', '.join(DECAYS)}")
    steps.add_argument(
        "--ema", type=float, nargs="+", default=Options.ema, help="widths of the EMAs, as shares of the run"
    )
    network = p.add_argument_group("network")
    for name, default, about in (
        ("--widths", UNetConfig.widths, "channels of each level, finest first"),
        ("--encoder", UNetConfig.encoder, "blocks of each level of the encoder"),
        ("--decoder", UNetConfig.decoder, "blocks of each level of the decoder"),
    ):
        metavar = ",".join(map(str, default))
        network.add_argument(name, type=whole_numbers, default=default, metavar=metavar, help=about)
    network.add_argument(
        "--late", action=argparse.BooleanOptionalAction, default=UNetConfig.late, help="class in the decoder only"
    )
    return p


def options_without_data(a: argparse.Namespace) -> Options:
    """The options as far as they are known before the data is. Raises ValueError for one that is out of range."""
    number("save_every", a.save_every, 1, 1e12, whole=True)
    number("sheet_every", a.sheet_every, 1, 1e12, whole=True)
    largest = 1024  # a multiple of whatever a network may ask
    network = UNetConfig(1, a.size or largest, 1, a.widths, a.encoder, a.decoder, a.late)
    usual = "bfloat16" if torch.cuda.is_available() else "float32"
    return Options(
        data="",
        network=network,
        schedule=Schedule(*a.log_snr),
        p_uncond=a.p_uncond,
        loss_weight=a.loss_weight,
        images=a.images,
        batch=a.batch,
        learning_rate=a.learning_rate,
        decay=a.decay,
        optimizer=a.optimizer,
        ema=tuple(a.ema),
        seed=a.seed,
        precision=a.precision or saved_options(a.run).get("precision", usual),
    )


def prepared(a: argparse.Namespace, command: str, claims: ExitStack) -> Trainer:
    """The trainer of the command line, with what it has saved before, and its folder claimed until the claims end.

    Raises ValueError and OSError for bad input.
    """
    options = options_without_data(a)
    check_run_writable(a.run, options)
    start = load_checkpoint(a.start) if a.start else None
    set_cpu_threads(None)
    on_cpu = choose_device().type == "cpu"  # else several processes there would not know of each other
    cast = AutocastKwargs(cache_enabled=on_cpu)  # a CUDA graph cannot hold what autocast has cached
    accelerator = Accelerator(cpu=on_cpu, mixed_precision=PRECISIONS[options.precision], kwargs_handlers=[cast])
    if accelerator.is_main_process:
        claims.enter_context(claimed(a.run))
    number("batch divided by the number of processes", a.batch / accelerator.num_processes, 1, a.batch)
    dataset = load_dataset(a.data, root=a.data_root, size=a.size)
    channels, size = dataset.images.shape[1:3]
    network = replace(options.network, channels=channels, size=size, num_classes=len(dataset.classes))
    options = replace(options, data=dataset.fingerprint, network=network)
    if start:
        if start.config.architecture != network:
            raise ValueError(f"start must be a model of {network}, got one of {start.config.architecture}")
        options = replace(options, start=start.hash, seen=start.config.images_seen)
    trainer = Trainer(options, dataset, accelerator)
    trainer.config(command)  # so that what could not be saved is refused now
    if not trainer.resume(a.run) and start:
        trainer.begin_with(start.denoiser.network.state_dict())
    return trainer


def check_run_writable(run: Path, options: Options) -> None:
    """Raises ValueError unless everything that a run writes can be written to its folder."""
    check_writable("run", run, folder=True)
    for file in (STATE, LOG):
        check_writable("run", run / file)
    if os.path.lexists(run / SHEETS):
        check_writable("run", run / SHEETS, folder=True)
    for checkpoint in (run / checkpoint_name(options, width) for width in options.ema):
        if os.path.lexists(checkpoint):
            check_checkpoint_writable("run", checkpoint)


def main(arguments: list[str] | None = None) -> None:
    """Train as the command line says.

    Exits with 2 and one sentence on bad input, with 1 and one sentence where a loss, gradient or weight is not finite,
    or the run's folder can no longer be written.
    """
    p = parser()
    a = p.parse_args(arguments)
    command = recorded_command("train", arguments, a)
    with ExitStack() as claims:
        try:
            trainer = prepared(a, command, claims)
        except (ValueError, OSError) as error:
            p.error(str(error))
        main_process = trainer.accelerator.is_main_process
        try:
            with progress_bar(disable=not main_process) as progress:
                follow(trainer, a.run, command, a.save_every, a.sheet_every, progress)
        except (NotFiniteError, OSError) as error:
            sentence = one_line(f"{p.prog}: error: {error}; what was saved in {a.run} before is kept")
            p.exit(1, f"{sentence}\n" if main_process else None)
