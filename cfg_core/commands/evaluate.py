"""Metrics of a model's samples over guidance strengths, with intervals and the real baseline, as a curve file.

python -m cfg_core evaluate --checkpoint checkpoints/fashion-mnist \\
    --classifier checkpoints/fashion-mnist-classifier --w 0 0.1 0.3 1 3 --out assets/curves/fashion-mnist.json
python -m cfg_core evaluate … --rule classifier --guide checkpoints/fashion-mnist-guide --out …
python -m cfg_core evaluate … --data my-pictures --out …        # a model of pictures of one's own
"""

import argparse
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cfg_core.checkpoints.classifiers import Classifier, load_classifier
from cfg_core.checkpoints.format import Checkpoint, load_checkpoint
from cfg_core.checkpoints.guides import with_guide
from cfg_core.checkpoints.public_names import public_data_name, public_model_name
from cfg_core.checks import choice
from cfg_core.commands.common import add_guidance_options, command_parser, progress_bar, recorded_command
from cfg_core.data.datasets import DATA_HELP, DataSet, load_splits
from cfg_core.devices import PRECISIONS, choose_device, set_cpu_threads
from cfg_core.diffusion.denoiser import CLASSIFIER
from cfg_core.evaluation.curve_file import curve_csv, curve_record
from cfg_core.evaluation.metrics import METRICS
from cfg_core.evaluation.sweep import (
    MIN_SAMPLES,
    Options,
    check_image_counts,
    claim_folder,
    draw_features,
    gather,
    held_out_images,
    measure,
    training_reference,
)
from cfg_core.files import check_writable, write_atomically
from cfg_core.guidance.rules import RULES, rules
from cfg_core.parameters import assigned
from cfg_core.sampling.loop import spaced


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("evaluate", "Metrics of a model's samples over guidance strengths.")
    models = p.add_argument_group("models")
    models.add_argument("--checkpoint", required=True, help="folder or Hub name of the model")
    models.add_argument("--classifier", required=True, help="folder or Hub name of the feature extractor")
    models.add_argument("--guide", help="folder or Hub name of the noise-aware classifier that a rule needs")
    data = p.add_argument_group("data", "The images that samples are compared with, resized to the model's size.")
    data.add_argument("--data", help=f"{DATA_HELP}; by default what the model was trained on")
    data.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    drawing = p.add_argument_group("samples")
    add_guidance_options(drawing, (0, 0.1, 0.3, 1, 3), Options.rule, Options.sampler)
    drawing.add_argument("--samples", type=int, default=Options.samples, help=f"for each w, at least {MIN_SAMPLES}")
    drawing.add_argument("--steps", type=int, default=Options.steps, help="of the sampler")
    drawing.add_argument("--seed", type=int, default=Options.seed, help="of the noise")
    drawing.add_argument("--precision", default=Options.precision, help=f"one of {', '.join(PRECISIONS)}")
    output = p.add_argument_group("output")
    output.add_argument("--out", type=Path, required=True, help="JSON file to write; a CSV is written beside it")
    output.add_argument("--note", default="", help="a remark that the file carries")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw, measure, print a table and write the files; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    command = recorded_command("evaluate", arguments, a)
    set_cpu_threads()
    processes = PartialState(cpu=choose_device().type == "cpu")
    try:
        options = Options(tuple(a.w), a.samples, a.sampler, a.steps, a.rule, a.seed, a.precision, assigned(a.set))
        checkpoint = load_checkpoint(a.checkpoint, processes.device, PRECISIONS[options.precision])
        classifier = load_classifier(a.classifier, processes.device, checkpoint)
        checkpoint = guided(checkpoint, options.rule, a.guide)
        guide = {"name": public_model_name(a.guide), "hash": checkpoint.guide} if a.guide else None
        choice("rule", options.rule, rules(checkpoint.denoiser))
        spaced(checkpoint.denoiser, options.sampler, options.steps, options.parameters)
        training, test = load_data(a.data or checkpoint.config.data, a.data_root, checkpoint)
        check_image_counts(classifier, training, test)
        counts = training.labels.bincount(minlength=len(training.classes))
        options = Options(**{**asdict(options), "class_counts": tuple(counts.tolist())})
        folder = check_out(a.out)
        with processes.main_process_first():
            claim_folder(
                folder,
                {"checkpoint": checkpoint.hash, "classifier": classifier.hash, "guide": guide, **asdict(options)},
            )
    except (ValueError, OSError) as error:
        p.error(str(error))
    share = processes.process_index, processes.num_processes
    with progress_bar(disable=not processes.is_main_process) as progress:
        task = progress.add_task(f"samples at {len(options.w)} w", total=options.samples / processes.num_processes)
        try:
            draw_features(
                folder, checkpoint.denoiser, classifier, options, share, lambda done: progress.advance(task, done)
            )
            processes.wait_for_everyone()
            if not processes.is_main_process:
                return
            drawn = gather(folder, checkpoint.denoiser, classifier, options)
            reference = training_reference(classifier, training, options)
            task = progress.add_task("measuring", total=len(drawn) + 1)
            figures = []
            for images in (held_out_images(classifier, test, options), *drawn):
                figures.append(measure(reference, images))
                progress.advance(task)
        except (ValueError, OSError) as error:  # samples or features that are not finite
            p.error(str(error))
    found = curve_record(
        figures[0],
        zip(options.w, figures[1:], strict=True),
        **described(a, checkpoint, classifier, guide),
        data=public_data_name(training.name, training.licence),
        reference={"split": "train", "pictures": len(training.labels), "manifold": len(reference.manifold.points)},
        held_out={"split": "test", "pictures": min(options.samples, len(test.labels))},
        command=command,
        note=a.note,
        versions={"torch": torch.__version__, "numpy": np.__version__},
        **{name: value for name, value in asdict(options).items() if name != "w"},
    )
    write_atomically(a.out, (json.dumps(found, indent=2) + "\n").encode())
    write_atomically(a.out.with_suffix(".csv"), curve_csv(found).encode())
    shutil.rmtree(folder)
    show(found)


def guided(checkpoint: Checkpoint, rule: str, where: str | None) -> Checkpoint:
    """The checkpoint with the noise-aware classifier that its rule asks, unchanged where it asks none.

    Raises ValueError where one is needed and not given, or given and not needed, and as ``with_guide`` does.
    """
    if (CLASSIFIER in RULES[rule].sources) != (where is not None):
        raise ValueError(f"guide must be given for the rules that need it and only for them, got {where} for {rule}")
    return checkpoint if where is None else with_guide(checkpoint, where)


def load_data(where: str, root: Path | None, checkpoint: Checkpoint) -> tuple[DataSet, DataSet]:
    """The training and the test images that a model's samples are compared with, at its size.

    Raises ValueError for images of other channels or classes, and as ``load_splits`` does.
    """
    channels, size, _ = checkpoint.denoiser.shape
    training, test = load_splits(where, root, size)
    theirs, ours = (training.images.shape[1], training.classes), (channels, checkpoint.denoiser.classes)
    if theirs != ours:
        raise ValueError(
            f"data must have the checkpoint's channels {ours[0]} and classes ({', '.join(ours[1])}), got {theirs[0]} "
            f"and ({', '.join(theirs[1])})"
        )
    return training, test


def check_out(out: Path) -> Path:
    """The folder beside it in which features are kept until the sweep is finished.

    Raises ValueError where the file, or the CSV beside it, cannot be written.
    """
    if not out.name or out.suffix == ".csv":
        raise ValueError(f"out must be a JSON file, got {out}")
    for path in (out, out.with_suffix(".csv")):
        check_writable("out", path)
    return out.with_name(f"{out.name}.drawn")


def described(
    a: argparse.Namespace, checkpoint: Checkpoint, classifier: Classifier, guide: dict[str, str] | None
) -> dict[str, Any]:
    """The models of a sweep, as its file names them."""
    model, extractor = checkpoint.config, classifier.config
    named, extracted = public_model_name(a.checkpoint), public_model_name(a.classifier)
    return {
        "checkpoint": {"name": named, "hash": checkpoint.hash, "images_seen": model.images_seen},
        "p_uncond": model.p_uncond,
        "classifier": {"name": extracted, "hash": classifier.hash, "test_accuracy": extractor.test_accuracy},
        "guide": guide,
        "features": f"{extractor.architecture.features} penultimate features of the classifier",
    }


def show(found: Mapping[str, Any]) -> None:
    """The record of a sweep as a table in the terminal."""
    how = f"{found['rule']}, {found['sampler']}, {found['steps']} steps, {found['samples']:,} samples"
    table = Table(title=Text(f"{found['checkpoint']['name']}, {how}"))  # as Text, a name is printed literally
    for heading in ("w", *(metric.title for metric in METRICS.values())):
        table.add_column(heading, justify="right")
    for row in (*found["results"], {"w": f"real ({found['held_out']['pictures']:,})", **found["real_baseline"]}):
        cells = (f"{row[name]:.3f}\n{row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}" for name in METRICS)
        table.add_row(str(row["w"]), *cells)
    Console().print(table)
