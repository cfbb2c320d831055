"""A whole sweep in its folder: drawn, measured, resumed where it was stopped, written as a curve file."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from rich.progress import Progress
from threadpoolctl import threadpool_limits

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.evaluation.curve_file import VERSION, curve_csv, curve_record
from cfg_core.evaluation.real_images import RealImages
from cfg_core.evaluation.sweep import Options, draw_features, gather, measure_once
from cfg_core.files import write_atomically
from cfg_core.threads import on_cores


@dataclass(frozen=True)
class Sweep:
    """What is to be measured. beside: name and hash of the noise-aware classifier that guides and of the weaker
    sibling, None where the rule asks none. described: the fields of the curve file that are known already."""

    checkpoint: Checkpoint
    real: RealImages
    options: Options
    out: Path
    beside: Mapping[str, dict[str, str] | None]
    described: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where features and figures are kept until the sweep is finished."""
        return self.out.with_name(f"{self.out.name}.drawn")

    @property
    def identity(self) -> dict[str, Any]:
        """What the content of the folder depends on."""
        extractor = self.real.extractor
        found: dict[str, Any] = {
            "version": VERSION,
            "checkpoint": self.checkpoint.hash,
            "classifier": extractor.classifier.hash,
        }
        return {**found, **self.beside, "features": extractor.description, **asdict(self.options)}


def run(
    sweep: Sweep,
    processes: PartialState,
    progress: Progress,
    report: Callable[[int], None] = lambda done: None,
) -> dict[str, Any] | None:
    """Draw and measure, or go on where the same sweep was stopped, and write the files; the main process returns them.

    report: called with the number of samples that were drawn. Raises ValueError where one is not finite.
    """
    options, folder, denoiser, real = sweep.options, sweep.folder, sweep.checkpoint.denoiser, sweep.real
    name, share = sweep.out.stem, (processes.process_index, processes.num_processes)
    drawing = progress.add_task(f"{name}: samples at {len(options.w)} w", total=options.samples / share[1])

    def drawn(done: int) -> None:
        progress.advance(drawing, done)
        report(done)

    draw_features(folder, denoiser, real.extractor, options, share, drawn)
    processes.wait_for_everyone()
    if not processes.is_main_process:
        return None
    measuring = progress.add_task(f"{name}: measuring", total=1 + len(options.w))
    reference = real.reference(options.samples, options.seed)
    every = [("real", real.held_out(options.samples, options.seed))]
    every += zip((f"{w:g}" for w in options.w), gather(folder, denoiser, real.extractor, options), strict=True)
    figures = []
    with threadpool_limits(1, "blas"):  # each w on a core of its own: BLAS's threads would wait for each other
        for found in on_cores(lambda point: measure_once(folder, point[0], point[1], reference), every):
            figures.append(found)
            progress.advance(measuring)
    record = curve_record(
        figures[0],
        zip(options.w, figures[1:], strict=True),
        **sweep.described,
        reference={"split": "train", "pictures": len(real.training.labels), "manifold": len(reference.manifold.points)},
        held_out={"split": "test", "pictures": len(every[0][1])},
        versions={"torch": torch.__version__, "numpy": np.__version__},
        **{name: value for name, value in asdict(options).items() if name != "w"},
    )
    write_atomically(sweep.out, (json.dumps(record, indent=2) + "\n").encode())
    write_atomically(sweep.out.with_suffix(".csv"), curve_csv(record).encode())
    shutil.rmtree(folder)
    for task in (drawing, measuring):
        progress.remove_task(task)
    return record
