"""``python -m cfg_core classifier``: train a classifier of clean images, or a noise-aware one."""

import argparse
import shlex
import sys
from pathlib import Path

import numpy as np
import torch

from cfg_core.checkpoints.classifiers import ClassifierConfig, class_spread, extract_features
from cfg_core.checkpoints.format import save_checkpoint
from cfg_core.checks import choice, number, whole_numbers
from cfg_core.data.datasets import DATA_HELP, load_splits
from cfg_core.data.pixels import to_unit
from cfg_core.devices import PRECISIONS, choose_device
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.networks.noise_aware_classifier import NoiseAwareClassifierNetwork
from cfg_core.training.classifiers import (
    CARD_LEVELS,
    accuracy,
    accuracy_at,
    classifier_card,
    noisy_logits,
    train_classifier,
)


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the shipped Fashion-MNIST classifier."""
    p = argparse.ArgumentParser(
        "python -m cfg_core classifier", description="Train a classifier that judges, or guides."
    )
    p.add_argument("--data", default="fashion_mnist", help=DATA_HELP)
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--size", type=int, help="crop and resize every picture to so many pixels a side")
    p.add_argument("--out", type=Path, required=True, help="folder for weights, config and card")
    p.add_argument("--noisy", action="store_true", help="noise-aware, to guide; by default of clean pictures, to judge")
    p.add_argument("--widths", type=whole_numbers, default=ClassifierArchitecture.widths, metavar="32,64,128")
    p.add_argument("--shift", type=int, default=0, help="move pictures at random, by so many pixels at most")
    p.add_argument("--precision", default="default", help=f"one of {', '.join(PRECISIONS)}")
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--learning-rate", type=float, default=5e-3, help="peak of the cycle")
    p.add_argument("--seed", type=int, default=0)
    return p


def main(arguments: list[str] | None = None) -> None:
    """Train, measure and save as the command line says; exits with 2 and one sentence on bad input."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core classifier " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    try:
        number("epochs", a.epochs, 1, 1000, whole=True)
        number("batch", a.batch, 2, 65536, whole=True)
        number("learning-rate", a.learning_rate, 1e-8, 1)
        number("seed", a.seed, 0, 2**32 - 1, whole=True)
        training, test = load_splits(a.data, a.data_root, a.size)
        channels, size = training.images.shape[1:3]
        number("shift", a.shift, 0, size // 4, whole=True)
        precision = PRECISIONS[choice("precision", a.precision, PRECISIONS)]
        architecture = ClassifierArchitecture(channels, size, len(training.classes), a.widths)
    except (ValueError, OSError) as error:
        p.error(str(error))
    torch.manual_seed(a.seed)
    device = choose_device()
    schedule, generator = Schedule() if a.noisy else None, torch.Generator().manual_seed(a.seed)
    network = (NoiseAwareClassifierNetwork if schedule else ClassifierNetwork)(architecture).to(device)
    logits = noisy_logits(network, schedule, generator) if schedule else network
    total = -(-len(training.labels) // a.batch) * a.epochs
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        task = progress.add_task("loss", total=total)
        losses: list[float] = []
        recipe = a.epochs, a.batch, a.learning_rate, generator, a.shift, precision
        for loss in train_classifier(network, logits, training, *recipe):
            losses.append(loss)
            progress.update(task, advance=1, description=f"loss {np.mean(losses[-50:]):.4f}")
    if isinstance(network, ClassifierNetwork):
        measured, accuracies = accuracy(network, test, device), {}
        apart = class_spread(extract_features(network, to_unit(test.images)), test.labels)
    else:
        accuracies = {level: accuracy_at(network, test, level, device) for level in CARD_LEVELS}
        measured, apart = accuracies[CARD_LEVELS[-1]], 0.0
    config = ClassifierConfig(
        architecture,
        training.classes,
        training.name,
        training.licence,
        measured,
        a.epochs * len(training.labels),
        command,
        schedule,
        apart,
    )
    save_checkpoint(a.out, config, network.state_dict(), classifier_card(config, accuracies))
    print(f"test accuracy {measured:.4f} on {len(test.labels):,} pictures; saved in {a.out}")
