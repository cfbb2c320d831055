"""Measure models of a clone anew, whole: curves, strips, class rails, cards, sheets of real pictures, and every table.

python -m cfg_core measure fashion-mnist cifar10

A curve file holds the command that made it. That command is run again where a model has other weights since; what is
of these weights is kept, and what was begun goes on: after a kill the same command resumes. So a new curve is made once
by ``evaluate``, and measured anew from then on by this. To be run in the clone's folder.
"""

import argparse
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from accelerate import PartialState
from rich.progress import Progress

from cfg_core.checkpoints.classifiers import Classifier, ClassifierConfig, find_classifier, load_classifier
from cfg_core.checkpoints.format import CARD, Checkpoint, CheckpointConfig, load_checkpoint, read_config
from cfg_core.checkpoints.model_card import with_figures_section, with_real_pictures
from cfg_core.checkpoints.model_folder import REAL
from cfg_core.checkpoints.public_names import public_data_name
from cfg_core.commands import evaluate, precompute
from cfg_core.commands.common import command_parser, progress_bar
from cfg_core.data.class_sheet import read_about, save_class_sheet
from cfg_core.data.datasets import load_splits
from cfg_core.devices import choose_device, set_cpu_threads
from cfg_core.evaluation.curve_file import Curve
from cfg_core.evaluation.curves import standing
from cfg_core.evaluation.documents import CURVES, curve_files, documents, read_curve, with_figures
from cfg_core.evaluation.real_images import RealImages
from cfg_core.evaluation.run import Sweep, run
from cfg_core.evaluation.sweep import claim_folder
from cfg_core.files import check_writable, write_atomically
from cfg_core.grids.ladder import rail
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.precomputed import load_strips, requests_of

CHECKPOINTS, STRIPS, PROJECT = Path("checkpoints"), Path("assets/strips"), Path()


W = "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1 1.5 2 3 4 6 8"
"""The paper's w and three more: of the main curve of a model that has none yet."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("measure", "Measure models of a clone anew, whole; the same command again resumes it.")
    p.add_argument("name", nargs="+", help=f"of a folder in {CHECKPOINTS}/")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Measure, draw and write all of it; exits with 2 and one sentence on bad input, before anything long begins, and
    with 1 where a document's figures cannot be written, as where another model must be measured first."""
    p = parser()
    names = p.parse_args(arguments).name
    set_cpu_threads(None)
    processes = PartialState(cpu=choose_device().type == "cpu")
    try:
        load, seen = cache(load_splits), dict[Any, RealImages]()

        def known(real: RealImages) -> RealImages:
            extractor = real.extractor
            return seen.setdefault((extractor.classifier.hash, extractor.description, id(real.training)), real)

        sweeps = [
            evaluate.prepared(evaluate.parser().parse_args(options), _command(options), processes.device, load, known)
            for name in names
            for options in due(name)
        ]
        for path in (*documents(PROJECT), *(STRIPS / f"{name}.npz" for name in names)):
            check_writable(path.name, path)
        with progress_bar(disable=not processes.is_main_process) as progress:
            measure(sweeps, processes, progress)
            set_cpu_threads()
            if processes.is_main_process:
                for name in names:
                    finish(name, load, progress)
        if not processes.is_main_process:
            return
        changed, problems = rewrite(PROJECT)
    except (ValueError, OSError) as error:
        p.error(str(error))
    print(f"{len(sweeps)} curves measured; {', '.join(changed) or 'no document'} written")
    if problems:
        p.exit(1, "".join(f"{p.prog}: error: {problem}\n" for problem in problems))


# ---- curves --------------------------------------------------------------------------------------------------------


def due(name: str) -> Iterator[list[str]]:
    """The options of ``evaluate`` for each curve of a model that is not of today's weights, its main one first.

    Raises ValueError for a name that is no model's, and for a curve file that cannot be used.
    """
    where = CHECKPOINTS / name
    if not where.is_dir():
        raise ValueError(f"name must be that of a folder in {CHECKPOINTS}/, got {name}")
    config, _ = read_config(where, CheckpointConfig.from_json)
    files = [(path, read_curve(path)) for path in curve_files(PROJECT)]
    own = [(path, curve) for path, curve in files if curve.checkpoint_name == where.as_posix()]
    own.sort(key=lambda each: (each[0].parent == CURVES, standing(each[1])), reverse=True)
    if not any(path.parent == CURVES for path, _ in own):
        yield main_options(name, config)
    for path, curve in own:
        options = options_of(path, curve)
        if stale(curve, evaluate.parser().parse_args(options)):
            yield options


def main_options(name: str, config: CheckpointConfig) -> list[str]:
    """The options for the first curve of a model. Raises ValueError where there is no classifier to measure it by."""
    where = (CHECKPOINTS / name).as_posix()
    classifier = find_classifier(where, "classifier", config)
    if not classifier:
        raise ValueError(f"{CHECKPOINTS} must have a classifier of {config.data} to measure {name} by, got none")
    models = ["--checkpoint", where, "--classifier", (CHECKPOINTS / classifier.name).as_posix()]
    return [*models, "--w", *W.split(), "--precision", "bfloat16", "--out", (CURVES / f"{name}.json").as_posix()]


def options_of(path: Path, curve: Curve) -> list[str]:
    """The options that a curve file was made with. Raises ValueError where its command is not one of ``evaluate``."""
    _, made, options = str(curve.record["command"]).partition("evaluate ")
    if not made:
        raise ValueError(f"command of {path} must be one of evaluate, got {curve.record['command']}")
    return [*shlex.split(options), "--out", path.as_posix()]


def stale(curve: Curve, a: argparse.Namespace) -> bool:
    """Whether a model of the curve has other weights now."""
    guide, weaker = (curve.record.get(field) or {} for field in ("guide", "weaker"))
    models = (
        (a.checkpoint, CheckpointConfig.from_json, curve.checkpoint),
        (a.classifier, ClassifierConfig.from_json, curve.classifier),
        (a.guide, ClassifierConfig.from_json, guide.get("hash")),
        (a.weaker, CheckpointConfig.from_json, weaker.get("hash")),
    )
    return any(where and read_config(where, parse)[1] != digest for where, parse, digest in models)


def _command(options: list[str]) -> str:
    return shlex.join(["python", "-m", "cfg_core", "evaluate", *options])


def measure(sweeps: list[Sweep], processes: PartialState, progress: Progress) -> None:
    """Run all of them, with the time that is left for all. Raises ValueError as ``run`` does."""
    pictures = [len(s.options.w) * SAMPLERS[s.options.sampler].evaluations(s.options.steps) for s in sweeps]
    total = sum(s.options.samples * each for s, each in zip(sweeps, pictures, strict=True))
    task = progress.add_task(f"{len(sweeps)} curves", total=total / processes.num_processes, visible=bool(sweeps))
    for sweep, each in zip(sweeps, pictures, strict=True):
        with processes.main_process_first():
            claim_folder(sweep.folder, sweep.identity)
        run(sweep, processes, progress, lambda done, each=each: progress.advance(task, done * each))  # type: ignore[misc]


# ---- what else is of a model's weights -----------------------------------------------------------------------------


def finish(name: str, load: evaluate.Load, progress: Progress) -> None:
    """Strips and rail, the sheet of real pictures, the card's sections. Raises ValueError or OSError."""
    where = CHECKPOINTS / name
    checkpoint = load_checkpoint(where, choose_device())
    found = find_classifier(where, "classifier", checkpoint.config)
    draw_strips(name, checkpoint, load_classifier(found, checkpoint=checkpoint) if found else None, progress)
    config = checkpoint.config
    data = public_data_name(config.data, config.licence)
    about = {"data": data, "licence": config.licence, "classes": list(config.classes)}
    if not (where / REAL).exists() or not about.items() <= read_about(where / REAL).items():
        training, _ = load(config.data, None, checkpoint.denoiser.shape[1])
        save_class_sheet(where / REAL, training, data)
    curves = [(path, read_curve(path)) for path in curve_files(PROJECT) if path.parent == CURVES]
    main = max((each for each in curves if each[1].checkpoint == checkpoint.hash), key=lambda each: standing(each[1]))
    card = with_figures_section((where / CARD).read_text(encoding="utf-8"), main[0].stem)
    write_atomically(where / CARD, with_real_pictures(card, read_about(where / REAL)).encode())


def draw_strips(name: str, checkpoint: Checkpoint, classifier: Classifier | None, progress: Progress) -> None:
    """The rail, and the grids that the model's file holds, where they are of other weights."""
    path, pictures = STRIPS / f"{name}.npz", rail(checkpoint.hash, len(checkpoint.config.classes))
    wanted = dict.fromkeys([*(replace(each, checkpoint=checkpoint.hash) for each in requests_of(path)), pictures])
    there = load_strips(STRIPS, checkpoint.hash, classifier.hash if classifier else "")
    drawn = {frame.request: frame for frame in there if frame.meter or not classifier}
    if not wanted.keys() <= drawn.keys():
        precompute.draw(path, checkpoint, classifier, wanted, progress, drawn)


def rewrite(project: Path) -> tuple[list[str], list[str]]:
    """Write the figures of every document anew: those that changed, and a sentence for each that could not be."""
    changed, problems = [], []
    for path in documents(project):
        before = path.read_text(encoding="utf-8")
        try:
            after = with_figures(before, project)
        except ValueError as error:
            problems.append(f"{path}: {error}")
            continue
        if after != before:
            write_atomically(path, after.encode())
            changed.append(path.as_posix())
    return changed, problems
