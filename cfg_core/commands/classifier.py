"""``python -m cfg_core classifier``: train a classifier of clean images, or a noise-aware one."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from cfg_core.checkpoints.classifiers import ClassifierConfig, class_spread, extract_features
from cfg_core.checkpoints.format import check_checkpoint_writable, save_checkpoint
from cfg_core.checkpoints.weights import without_memory
from cfg_core.checks import choice, number, one_line
from cfg_core.commands.common import (
    add_data_options,
    command_parser,
    progress_bar,
    recorded_command,
    whole_numbers,
)
from cfg_core.data.datasets import load_splits
from cfg_core.data.pixels import to_unit
from cfg_core.devices import PRECISIONS, choose_device, set_cpu_threads
from cfg_core.diffusion.schedule import Schedule
from cfg_core.files import check_writable
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.networks.noise_aware_classifier import NoiseAwareClassifierNetwork
from cfg_core.training.classifier_run import ClassifierOptions, ClassifierRun
from cfg_core.training.classifiers import (
    CARD_LEVELS,
    Recipe,
    accuracy,
    accuracy_at,
    calibrate,
    classifier_card,
    confidence,
    hold_out,
    noisy_logits,
    train_classifier,
)
from cfg_core.training.finite import NotFiniteError
from cfg_core.training.optimizers import OPTIMIZERS, muon_of_unit_kernels
from cfg_core.training.state import STATE

WIDTHS, COLOUR_WIDTHS = (64, 128, 256), (64, 256, 256)
"""Channels at 1/2, 1/4 and 1/8 of the resolution where the command names none; the second of clean colour pictures."""

STEM = 24
"""Channels at full resolution, of a classifier of clean pictures."""

RECIPES = {
    False: Recipe(epochs=16, batch=500, learning_rate=5e-3, shift=2, cut_out=0, smoothing=0.2),
    True: Recipe(epochs=12, batch=256, learning_rate=5e-3, shift=2, cut_out=0, smoothing=0),
}
"""Whether it is noise-aware → how it is trained where the command does not say otherwise."""

RECIPE_HELP = {
    "epochs": "how often every picture is seen",
    "batch": "pictures a step, by default fewer of a small set",
    "learning_rate": "its peak",
    "shift": "move every picture at random, by so many pixels at most",
    "cut_out": "cut a square of so many pixels a side out of every picture",
    "smoothing": "share of the target that all classes divide among them",
}
"""Field of a recipe → what its option is for."""

NETWORKS = {False: ClassifierNetwork, True: NoiseAwareClassifierNetwork}
"""Whether it is noise-aware → the network that is trained."""


def parser() -> argparse.ArgumentParser:
    """The command line; its defaults are the recipe of docs/training.md."""
    p = command_parser("classifier", "Train a classifier to evaluate samples, or a noise-aware one to guide them.")
    add_data_options(p)
    network = p.add_argument_group("network")
    network.add_argument(
        "--noisy", action="store_true", help="noise-aware, to guide; without it of clean pictures, to evaluate samples"
    )
    network.add_argument(
        "--widths",
        type=whole_numbers,
        metavar="64,128,256",
        help="channels at 1/2, 1/4, 1/8 … of the resolution (default: 64,128,256; 64,256,256 for clean colour)",
    )
    steps = p.add_argument_group("training")
    for name, about in RECIPE_HELP.items():
        clean, noisy = (getattr(RECIPES[kind], name) for kind in (False, True))
        default = f"{clean:g}" if clean == noisy else f"{clean:g}; {noisy:g} with --noisy"
        steps.add_argument(f"--{name.replace('_', '-')}", type=type(clean), help=f"{about} (default: {default})")
    steps.add_argument("--optimizer", default="muon", help=f"one of {', '.join(OPTIMIZERS)}")
    steps.add_argument("--precision", default="default", help=f"one of {', '.join(PRECISIONS)}")
    steps.add_argument("--seed", type=int, default=0, help="of weights, order, moves and noise")
    output = p.add_argument_group("output")
    output.add_argument(
        "--out", type=Path, required=True, help="folder for weights, config and card; the same command again resumes it"
    )
    return p


def main(arguments: list[str] | None = None) -> None:
    """Train, measure and save as the command line says.

    Exits with 2 and one sentence on bad input, with 1 and one sentence where a loss or a weight is not finite.
    """
    p = parser()
    a = p.parse_args(arguments)
    command = recorded_command("classifier", arguments, a)
    try:
        given = {name: getattr(a, name) for name in RECIPE_HELP if getattr(a, name) is not None}
        recipe = replace(RECIPES[a.noisy], **given)
        choice("optimizer", a.optimizer, OPTIMIZERS)
        number("seed", a.seed, 0, 2**32 - 1, whole=True)
        largest = a.size or 1024
        number("shift", recipe.shift, 0, largest // 4, whole=True)
        number("cut-out", recipe.cut_out, 0, largest // 2, whole=True)
        precision = PRECISIONS[choice("precision", a.precision, PRECISIONS)]
        stem = 0 if a.noisy else STEM
        architecture = ClassifierArchitecture(1, largest, 2, a.widths or WIDTHS, stem=stem)
        kind = NETWORKS[a.noisy]
        without_memory(lambda: kind(architecture))  # so that widths that it does not take are refused now
        check_checkpoint_writable("out", a.out)
        check_writable("out", a.out / STATE)
        training, test = load_splits(a.data, a.data_root, a.size)
        channels, size = training.images.shape[1:3]
        number("shift", recipe.shift, 0, size // 4, whole=True)
        number("cut-out", recipe.cut_out, 0, size // 2, whole=True)
        widths = a.widths or (WIDTHS if a.noisy or channels == 1 else COLOUR_WIDTHS)
        mirrored = training.mirror and not a.noisy
        architecture = ClassifierArchitecture(
            channels, size, len(training.classes), widths, stem=stem, mirrored=mirrored
        )
        training, held_out = (training, None) if a.noisy else hold_out(training)
        if a.batch is None:
            recipe = recipe.for_images(len(training.labels))
        schedule, seen = Schedule() if a.noisy else None, recipe.epochs * len(training.labels)
        config = ClassifierConfig(
            architecture, training.classes, training.name, training.licence, 0.0, seen, command, schedule
        )
        options = ClassifierOptions(
            training.fingerprint, architecture, a.noisy, recipe, a.optimizer, a.precision, a.seed
        )
        set_cpu_threads(None)
        torch.manual_seed(a.seed)
        device, generator = choose_device(), torch.Generator().manual_seed(a.seed)
        network = kind(architecture).to(device)
        optimizers = (OPTIMIZERS if a.noisy else OPTIMIZERS | {"muon": muon_of_unit_kernels})[a.optimizer](network)
        run = ClassifierRun(options, network, optimizers, generator)
        resumed = run.resume(a.out, training.name)
    except (ValueError, OSError) as error:
        p.error(str(error))
    logits = noisy_logits(network, schedule, generator) if schedule else network
    steps = train_classifier(
        network, logits, training, optimizers, recipe, generator, precision, resumed, partial(run.save, a.out)
    )
    try:
        with progress_bar() as progress:
            total = recipe.steps(len(training.labels))
            begin = resumed[0] * total // recipe.epochs if resumed else 0
            task = progress.add_task("loss", total=total, completed=begin)
            losses: list[float] = []
            for loss in steps:
                losses.append(loss)
                progress.update(task, advance=1, description=f"loss {np.mean(losses[-50:]):.4f}")
    except (NotFiniteError, OSError) as error:
        p.exit(1, one_line(f"{p.prog}: error: {error}; what was saved in {a.out} before is kept") + "\n")
    sure = 0.0
    if isinstance(network, ClassifierNetwork):
        if held_out:
            calibrate(network, held_out)
        measured, accuracies, sure = accuracy(network, test, device), {}, confidence(network, test)
        spread = class_spread(extract_features(network, to_unit(test.images)), test.labels)
    else:
        accuracies = {level: accuracy_at(network, test, level, device) for level in CARD_LEVELS}
        measured, spread = accuracies[CARD_LEVELS[-1]], 0.0
    config = replace(config, test_accuracy=measured, spread=spread)
    try:
        save_checkpoint(a.out, config, network.state_dict(), classifier_card(config, accuracies, sure))
        (a.out / STATE).unlink()
    except OSError as error:
        p.exit(1, one_line(f"{p.prog}: error: {a.out} could not be written: {error}") + "\n")
    print(f"test accuracy {measured:.4f} on {len(test.labels):,} pictures; saved in {a.out}")
