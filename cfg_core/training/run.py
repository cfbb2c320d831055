"""A training run in its folder: progress, log, saves and sample sheets."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.progress import Progress

from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet, save_sheet
from cfg_core.training.trainer import Trainer

LOG, SHEETS = "log.jsonl", "sheets"


def follow(trainer: Trainer, folder: Path, command: str, save_every: int, sheet_every: int, progress: Progress) -> None:
    """Run the trainer to its end, with a progress bar, a log, saves and sample sheets.

    command: recorded in model card and config. save_every, sheet_every: images between two of
    them; both come at the next report. Raises NotFiniteError as ``Trainer.advance`` and ``Trainer.save``.
    """
    main = trainer.accelerator.is_main_process
    images = trainer.step * trainer.options.batch
    task = progress.add_task("loss", total=trainer.options.images, completed=images)
    for report in trainer.run():
        last = report.step == trainer.options.steps
        if last or report.images // save_every > images // save_every:
            trainer.save(folder, command)
            if main:
                with (folder / LOG).open("a") as log:
                    log.write(json.dumps(asdict(report)) + "\n")
        if main and (last or report.images // sheet_every > images // sheet_every):
            save_sample_sheet(trainer, folder / SHEETS / f"{report.images:012d}.png")
        parts = {"conditional": report.conditional, "unconditional": report.unconditional}
        split = ", ".join(f"{name} {loss:.4f}" for name, loss in parts.items() if loss is not None)
        progress.update(task, description=f"loss {report.loss:.4f} ({split})", completed=report.images)
        images = report.images


def save_sample_sheet(trainer: Trainer, path: Path) -> None:
    """Draw two samples of each of the first ten classes at w = 0, 1 and 3 with the EMA weights."""
    classes = trainer.dataset.classes[:10]
    request = GridRequest("training", tuple(range(len(classes))), w=(0.0, 1.0, 3.0), samples=2)
    samples = draw_grid(trainer.denoiser(), request)
    save_sheet(draw_sheet(request, samples, classes), path, request)
