"""``python -m cfg_core evaluate``: metrics of a model over guidance strengths."""

import argparse
import json
import shlex
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate import PartialState

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import Checkpoint, load_checkpoint
from cfg_core.checkpoints.guides import with_guide
from cfg_core.checks import choice
from cfg_core.data.datasets import load_splits
from cfg_core.devices import PRECISIONS, choose_device
from cfg_core.diffusion.denoiser import CLASSIFIER
from cfg_core.evaluation.metrics import METRICS
from cfg_core.evaluation.sweep import (
    MIN_SAMPLES,
    Options,
    compared,
    gather,
    held_out,
    judge_drawn,
    measure,
    record,
    resume,
    table_of,
)
from cfg_core.files import write_atomically
from cfg_core.guidance.rules import RULES, rules
from cfg_core.parameters import assigned
from cfg_core.sampling.loop import spaced
from cfg_core.sampling.samplers import SAMPLERS

# ---- the command line ----


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser("python -m cfg_core evaluate", description="Metrics of samples over w.")
    p.add_argument("--checkpoint", required=True, help="folder or Hub name of the model")
    p.add_argument("--classifier", required=True, help="folder or Hub name of the classifier that judges")
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--w", type=float, nargs="+", default=[0, 0.1, 0.3, 1, 3], help="guidance strengths")
    p.add_argument("--samples", type=int, default=Options.samples, help=f"at least {MIN_SAMPLES}, for each w")
    p.add_argument("--sampler", default=Options.sampler, help=f"one of {', '.join(SAMPLERS)}")
    p.add_argument("--steps", type=int, default=Options.steps)
    p.add_argument("--rule", default=Options.rule, help=f"one of {', '.join(RULES)}")
    p.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of rule or sampler")
    p.add_argument("--guide", help="folder or Hub name of the noise-aware classifier that a rule needs")
    p.add_argument("--seed", type=int, default=Options.seed)
    p.add_argument("--precision", default=Options.precision, help=f"one of {', '.join(PRECISIONS)}")
    p.add_argument("--out", type=Path, required=True, help="JSON file to write; a CSV comes beside it")
    p.add_argument("--note", default="", help="a remark that the file carries")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw, measure, print a table and write the files; exits with 2 and one sentence on bad input."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core evaluate " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    processes, folder = PartialState(cpu=choose_device().type == "cpu"), a.out.with_name(a.out.name + ".drawn")
    try:
        options = Options(tuple(a.w), a.samples, a.sampler, a.steps, a.rule, a.seed, a.precision, assigned(a.set))
        checkpoint = load_checkpoint(a.checkpoint, processes.device, PRECISIONS[options.precision])
        judge = load_classifier(a.classifier, processes.device, checkpoint)
        checkpoint = guided(checkpoint, options.rule, a.guide)
        guiding = {"name": a.guide, "hash": checkpoint.guide} if a.guide else None
        choice("rule", options.rule, rules(checkpoint.denoiser))
        spaced(checkpoint.denoiser, options.sampler, options.steps, options.parameters)
        channels, size, _ = checkpoint.denoiser.shape
        training, test = load_splits(checkpoint.config.data, a.data_root, size, channels)
        with processes.main_process_first():
            resume(
                folder,
                {"checkpoint": checkpoint.hash, "classifier": judge.hash, "guide": guiding, **asdict(options)},
            )
    except (ValueError, OSError) as error:
        p.error(str(error))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    share = processes.process_index, processes.num_processes
    with Progress(*columns, disable=not processes.is_main_process) as progress:
        task = progress.add_task(f"samples at {len(options.w)} w", total=options.samples / processes.num_processes)
        judge_drawn(folder, checkpoint.denoiser, judge, options, share, lambda done: progress.advance(task, done))
        processes.wait_for_everyone()
        if not processes.is_main_process:
            return
        drawn = gather(folder, checkpoint.denoiser, judge, options)
        reference = compared(judge, training, options)
        task = progress.add_task("measuring", total=len(drawn) + 1)
        figures = []
        for judged in (held_out(judge, test, options), *drawn):
            figures.append(measure(reference, judged))
            progress.advance(task)
    model, extractor = checkpoint.config, judge.config
    found = record(
        figures[0],
        figures[1:],
        options,
        checkpoint={"name": a.checkpoint, "hash": checkpoint.hash, "images_seen": model.images_seen},
        p_uncond=model.p_uncond,
        classifier={"name": a.classifier, "hash": judge.hash, "test_accuracy": extractor.test_accuracy},
        guide=guiding,
        features=f"{extractor.architecture.features} penultimate features of the classifier",
        data=model.data,
        reference={"split": "train", "pictures": len(training.labels), "manifold": len(reference.manifold.points)},
        held_out={"split": "test", "pictures": min(options.samples, len(test.labels))},
        command=command,
        note=a.note,
    )
    write_atomically(a.out, (json.dumps(found, indent=2) + "\n").encode())
    write_atomically(a.out.with_suffix(".csv"), table_of(found).encode())
    shutil.rmtree(folder)
    show(found)


def guided(checkpoint: Checkpoint, rule: str, where: str | None) -> Checkpoint:
    """The checkpoint with the noise-aware classifier that its rule asks, unchanged where it asks none.

    Raises ValueError where one is needed and not given, or given and not needed, and as ``with_guide`` does.
    """
    if (CLASSIFIER in RULES[rule].sources) != (where is not None):
        raise ValueError(f"guide must be given for the rules that need it and only for them, got {where} for {rule}")
    return checkpoint if where is None else with_guide(checkpoint, where)


def show(found: dict[str, Any]) -> None:
    """The JSON of a sweep as a table in the terminal."""
    from rich.console import Console
    from rich.table import Table

    how = f"{found['rule']}, {found['sampler']}, {found['steps']} steps"
    table = Table(title=f"{found['checkpoint']['name']}, {how}, {found['samples']:,} samples")
    for heading in ("w", *(metric.title for metric in METRICS.values())):
        table.add_column(heading, justify="right")
    for row in (*found["results"], {"w": f"real ({found['held_out']['pictures']:,})", **found["floor"]}):
        cells = (f"{row[name]:.3f}\n{row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}" for name in METRICS)
        table.add_row(str(row["w"]), *cells)
    Console().print(table)
