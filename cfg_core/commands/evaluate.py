"""Metrics of a model's samples over guidance strengths, with intervals and the real baseline, as a curve file.

python -m cfg_core evaluate --checkpoint checkpoints/fashion-mnist \\
    --classifier checkpoints/fashion-mnist-classifier --w 0 0.1 0.3 1 3 --out assets/curves/fashion-mnist.json
python -m cfg_core evaluate … --rule classifier --guide checkpoints/fashion-mnist-guide --out …
python -m cfg_core evaluate … --data my-pictures --out …        # a model of pictures of one's own
python -m cfg_core evaluate … --features inception --out …      # figures that compare with the literature's
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import Checkpoint, load_checkpoint
from cfg_core.checkpoints.guides import with_guide
from cfg_core.checkpoints.public_names import public_data_name, public_model_name
from cfg_core.checks import choice
from cfg_core.commands.common import add_guidance_options, command_parser, progress_bar, recorded_command
from cfg_core.data.datasets import DATA_HELP, DataSet, load_splits
from cfg_core.devices import PRECISIONS, choose_device, set_cpu_threads
from cfg_core.diffusion.denoiser import CLASSIFIER
from cfg_core.evaluation.extractor import Extractor
from cfg_core.evaluation.inception import load_inception
from cfg_core.evaluation.metrics import EXTRACTORS, METRICS
from cfg_core.evaluation.real_images import RealImages
from cfg_core.evaluation.run import Sweep, run
from cfg_core.evaluation.sweep import MIN_SAMPLES, Options, claim_folder
from cfg_core.files import check_writable
from cfg_core.guidance.rules import RULES, rules
from cfg_core.parameters import assigned
from cfg_core.sampling.loop import spaced


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("evaluate", "Metrics of a model's samples over guidance strengths.")
    models = p.add_argument_group("models")
    models.add_argument("--checkpoint", required=True, help="folder or Hub name of the model")
    models.add_argument("--classifier", required=True, help="folder or Hub name of a classifier of clean images")
    models.add_argument("--guide", help="folder or Hub name of the noise-aware classifier that a rule needs")
    whose = f"over whose features FID is measured, {' or '.join(EXTRACTORS)}"
    models.add_argument("--features", default=EXTRACTORS[0], help=whose)
    models.add_argument(
        "--inception-weights", type=Path, help="file of safetensors; by default what torch has downloaded before"
    )
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
    set_cpu_threads(None)  # each core draws samples of its own, which do not depend on the number of cores
    processes = PartialState(cpu=choose_device().type == "cpu")
    try:
        sweep = prepared(a, command, processes.device)
        with processes.main_process_first():
            claim_folder(sweep.folder, sweep.identity)
        with progress_bar(disable=not processes.is_main_process) as progress:
            found = run(sweep, processes, progress)
    except (ValueError, OSError) as error:
        p.error(str(error))
    if found:
        show(found)


Load = Callable[[str, Path | None, int], tuple[DataSet, DataSet]]
"""Name, root and size to the training and the test images, as ``load_splits`` does."""


def prepared(
    a: argparse.Namespace,
    command: str,
    device: torch.device,
    load: Load = load_splits,
    known: Callable[[RealImages], RealImages] = lambda real: real,
) -> Sweep:
    """The sweep that the options ask for. command: recorded in its file. known: real images to the same ones of a sweep
    before, if there was one. Raises ValueError or OSError, in one sentence."""
    options = Options(tuple(a.w), a.samples, a.sampler, a.steps, a.rule, a.seed, a.precision, assigned(a.set))
    check_out(a.out)
    if (choice("features", a.features, EXTRACTORS) == "inception") < bool(a.inception_weights):
        raise ValueError(f"inception-weights must be given with --features inception only, got {a.inception_weights}")
    inception = load_inception(a.inception_weights, device) if a.features == "inception" else None
    checkpoint = load_checkpoint(a.checkpoint, device, PRECISIONS[options.precision])
    extractor = Extractor(load_classifier(a.classifier, device, checkpoint), inception)
    checkpoint = guided(checkpoint, options.rule, a.guide)
    guide = {"name": public_model_name(a.guide), "hash": checkpoint.guide} if a.guide else None
    choice("rule", options.rule, rules(checkpoint.denoiser))
    spaced(checkpoint.denoiser, options.sampler, options.steps, options.parameters)
    data = load_data(a.data or checkpoint.config.data, a.data_root, checkpoint, load)
    real = known(RealImages(extractor, *data))
    real.check(options.samples)
    counts = real.training.labels.bincount(minlength=len(real.training.classes))
    options = replace(options, class_counts=tuple(counts.tolist()))
    named = public_data_name(real.training.name, real.training.licence)
    fields = {**described(a, checkpoint, extractor, guide), "data": named, "command": command}
    return Sweep(checkpoint, real, options, a.out, guide, fields)


def guided(checkpoint: Checkpoint, rule: str, where: str | None) -> Checkpoint:
    """The checkpoint with the noise-aware classifier that its rule asks, unchanged where it asks none.

    Raises ValueError where one is needed and not given, or given and not needed, and as ``with_guide`` does.
    """
    if (CLASSIFIER in RULES[rule].sources) != (where is not None):
        raise ValueError(f"guide must be given for the rules that need it and only for them, got {where} for {rule}")
    return checkpoint if where is None else with_guide(checkpoint, where)


def load_data(where: str, root: Path | None, checkpoint: Checkpoint, load: Load) -> tuple[DataSet, DataSet]:
    """The training and the test images that a model's samples are compared with, at its size.

    Raises ValueError for images of other channels or classes, and as ``load`` does.
    """
    channels, size, _ = checkpoint.denoiser.shape
    training, test = load(where, root, size)
    theirs, ours = (training.images.shape[1], training.classes), (channels, checkpoint.denoiser.classes)
    if theirs != ours:
        raise ValueError(
            f"data must have the checkpoint's channels {ours[0]} and classes ({', '.join(ours[1])}), got {theirs[0]} "
            f"and ({', '.join(theirs[1])})"
        )
    return training, test


def check_out(out: Path) -> None:
    """Raises ValueError where the file, or the CSV beside it, cannot be written."""
    if not out.name or out.suffix == ".csv":
        raise ValueError(f"out must be a JSON file, got {out}")
    for path in (out, out.with_suffix(".csv")):
        check_writable("out", path)


def described(
    a: argparse.Namespace, checkpoint: Checkpoint, extractor: Extractor, guide: dict[str, str] | None
) -> dict[str, Any]:
    """The models and the data of a sweep, as its file names them."""
    model, classifier = checkpoint.config, extractor.classifier
    named, graded = public_model_name(a.checkpoint), public_model_name(a.classifier)
    return {
        "checkpoint": {"name": named, "hash": checkpoint.hash, "images_seen": model.images_seen},
        "p_uncond": model.p_uncond,
        "classifier": {"name": graded, "hash": classifier.hash, "test_accuracy": classifier.config.test_accuracy},
        "guide": guide,
        "extractor": extractor.kind,
        "features": extractor.description,
        "note": a.note,
    }


def show(found: Mapping[str, Any]) -> None:
    """The record of a sweep as a table in the terminal."""
    how = f"{found['rule']}, {found['sampler']}, {found['steps']} steps, {found['samples']:,} samples"
    how += f", over {found['features']}"
    table = Table(title=Text(f"{found['checkpoint']['name']}, {how}"))  # as Text, a name is printed literally
    for heading in ("w", *(metric.title for metric in METRICS.values())):
        table.add_column(heading, justify="right")
    for row in (*found["results"], {"w": f"real ({found['held_out']['pictures']:,})", **found["real_baseline"]}):
        cells = (f"{row[name]:.3f}\n{row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}" for name in METRICS)
        table.add_row(str(row["w"]), *cells)
    Console().print(table)
