"""Metrics of a model's samples over guidance strengths, with intervals and the real baseline, as a curve file.

python -m cfg_core evaluate --checkpoint checkpoints/fashion-mnist \\
    --classifier checkpoints/fashion-mnist-classifier --w 0 0.1 0.3 1 3 --out assets/curves/fashion-mnist.json
python -m cfg_core evaluate … --rule classifier --guide checkpoints/fashion-mnist-guide --out …
python -m cfg_core evaluate … --data my-pictures --out …        # a model of pictures of one's own
python -m cfg_core evaluate … --rule interval --over log_snr_low=-3,-1,1 --out …         # a curve for each value
python -m cfg_core evaluate … --features inception --out …      # figures that compare with the literature's
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
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
from cfg_core.checkpoints.weaker_siblings import with_weaker
from cfg_core.checks import choice, shown
from cfg_core.commands.common import add_guidance_options, command_parser, progress_bar, recorded_command
from cfg_core.data.datasets import DATA_HELP, DataSet, load_splits
from cfg_core.devices import PRECISIONS, choose_device, set_cpu_threads
from cfg_core.evaluation.extractor import Extractor
from cfg_core.evaluation.inception import load_inception
from cfg_core.evaluation.metrics import EXTRACTORS, METRICS
from cfg_core.evaluation.real_images import RealImages
from cfg_core.evaluation.run import Sweep, run
from cfg_core.evaluation.sweep import MIN_SAMPLES, Options, claim_folder
from cfg_core.files import check_writable
from cfg_core.grids.request import BESIDE
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
    models.add_argument("--weaker", help="folder or Hub name of the weaker sibling that a rule needs")
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
    drawing.add_argument(
        "--over",
        metavar="NAME=V1,V2,…",
        help="a curve for each of these values of a parameter, each in a file of its own, OUT-NAME-VALUE.json",
    )
    output = p.add_argument_group("output")
    output.add_argument("--out", type=Path, required=True, help="JSON file to write; a CSV is written beside it")
    output.add_argument("--note", default="", help="a remark that the file carries")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw, measure, print a table and write the files; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    set_cpu_threads(None)  # each core draws samples of its own, which do not depend on the number of cores
    processes = PartialState(cpu=choose_device().type == "cpu")
    try:
        sweeps = all_prepared(p, variants(sys.argv[1:] if arguments is None else arguments, a.over), processes.device)
        for sweep in sweeps:
            with processes.main_process_first():
                claim_folder(sweep.folder, sweep.identity)
            with progress_bar(disable=not processes.is_main_process) as progress:
                found = run(sweep, processes, progress)
            if found:
                show(found)
    except (ValueError, OSError) as error:
        p.error(str(error))


def variants(arguments: list[str], over: str | None) -> list[list[str]]:
    """The command lines, one for each value of the parameter that ``--over`` names, or the only one.

    Raises ValueError for another form than NAME=V1,V2,… with numbers, and for a value that stands there twice.
    """
    if over is None:
        return [arguments]
    name, _, texts = over.partition("=")
    values = [assigned([f"{name}={text}"])[name.strip()] for text in texts.split(",")]
    if len(set(values)) < len(values):
        raise ValueError(f"over must hold each value once, got {shown(over)}")
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    own.add_argument("--over")
    own.add_argument("--out", type=Path)
    given, others = own.parse_known_args(arguments)

    def out(value: float) -> Path:
        return given.out.with_name(f"{given.out.stem}-{name.strip()}-{value:.15g}{given.out.suffix}")

    return [[*others, "--set", f"{name.strip()}={value:.15g}", "--out", str(out(value))] for value in values]


def all_prepared(p: argparse.ArgumentParser, lines: list[list[str]], device: torch.device) -> list[Sweep]:
    """The sweeps of these command lines, all checked before the first begins; they share the real images."""
    load, seen = cache(load_splits), dict[str, RealImages]()

    def known(real: RealImages) -> RealImages:
        return seen.setdefault(real.extractor.description, real)

    parsed = [(line, p.parse_args(line)) for line in lines]
    for _, a in parsed:
        options_of(a)  # every value is checked before a model is loaded
    return [prepared(a, recorded_command("evaluate", line, a), device, load, known) for line, a in parsed]


def options_of(a: argparse.Namespace) -> Options:
    """How samples are drawn. Raises ValueError for an option out of range."""
    return Options(tuple(a.w), a.samples, a.sampler, a.steps, a.rule, a.seed, a.precision, assigned(a.set))


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
    options = options_of(a)
    check_out(a.out)
    if (choice("features", a.features, EXTRACTORS) == "inception") < bool(a.inception_weights):
        raise ValueError(f"inception-weights must be given with --features inception only, got {a.inception_weights}")
    inception = load_inception(a.inception_weights, device) if a.features == "inception" else None
    checkpoint = load_checkpoint(a.checkpoint, device, PRECISIONS[options.precision])
    extractor = Extractor(load_classifier(a.classifier, device, checkpoint), inception)
    checkpoint, beside = with_networks(checkpoint, options.rule, a.guide, a.weaker)
    choice("rule", options.rule, rules(checkpoint.denoiser))
    spaced(checkpoint.denoiser, options.sampler, options.steps, options.parameters)
    data = load_data(a.data or checkpoint.config.data, a.data_root, checkpoint, load)
    real = known(RealImages(extractor, *data))
    real.check(options.samples)
    counts = real.training.labels.bincount(minlength=len(real.training.classes))
    options = replace(options, class_counts=tuple(counts.tolist()))
    named = public_data_name(real.training.name, real.training.licence)
    fields = {**described(a, checkpoint, extractor, beside), "data": named, "command": command}
    return Sweep(checkpoint, real, options, a.out, beside, fields)


Beside = Mapping[str, dict[str, str] | None]
"""Fields of BESIDE → name and hash of that network, None where the rule needs none."""


def with_networks(
    checkpoint: Checkpoint, rule: str, guide: str | None, weaker: str | None
) -> tuple[Checkpoint, Beside]:
    """The checkpoint with the networks that its rule asks, a noise-aware classifier and a weaker sibling, and which.

    Raises ValueError where one is needed and not given, or given and not needed, and as ``with_guide`` and
    ``with_weaker`` do.
    """
    given = {"guide": guide, "weaker": weaker}
    for field, where in given.items():
        if (BESIDE[field] in RULES[rule].sources) != (where is not None):
            raise ValueError(
                f"{field} must be given for the rules that need it and only for them, got {where} for {rule}"
            )
    checkpoint = checkpoint if guide is None else with_guide(checkpoint, guide)
    checkpoint = checkpoint if weaker is None else with_weaker(checkpoint, weaker)
    hashes = {"guide": checkpoint.guide, "weaker": checkpoint.weaker}
    return checkpoint, {
        field: None if where is None else {"name": public_model_name(where), "hash": hashes[field]}
        for field, where in given.items()
    }


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


def described(a: argparse.Namespace, checkpoint: Checkpoint, extractor: Extractor, beside: Beside) -> dict[str, Any]:
    """The models and the data of a sweep, as its file names them."""
    model, classifier = checkpoint.config, extractor.classifier
    named, graded = public_model_name(a.checkpoint), public_model_name(a.classifier)
    return {
        "checkpoint": {"name": named, "hash": checkpoint.hash, "images_seen": model.images_seen},
        "p_uncond": model.p_uncond,
        "classifier": {"name": graded, "hash": classifier.hash, "test_accuracy": classifier.config.test_accuracy},
        **beside,
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
