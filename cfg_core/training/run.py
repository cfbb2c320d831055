"""A training run in its folder: progress, log, saves and sample sheets."""

import json
from dataclasses import asdict
from pathlib import Path

from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet, save_sheet
from cfg_core.training.trainer import Trainer


def follow(trainer: Trainer, folder: Path, command: str, save_every: int, sheet_every: int) -> None:
    """Run the trainer with a progress bar, a log, saves and sample sheets."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    chief = trainer.accelerator.is_main_process
    with Progress(*columns, disable=not chief) as progress:
        images = trainer.step * trainer.options.batch
        task = progress.add_task("loss", total=trainer.options.images, completed=images)
        for report in trainer.run():
            if not chief:
                continue
            split = f"conditional {report.conditional:.4f}, unconditional {report.unconditional:.4f}"
            progress.update(task, description=f"loss {report.loss:.4f} ({split})", completed=report.images)
            last = report.step == trainer.options.steps
            if last or report.images // save_every > images // save_every:
                trainer.save(folder, command)
                with (folder / "log.jsonl").open("a") as log:
                    log.write(json.dumps(asdict(report)) + "\n")
            if last or report.images // sheet_every > images // sheet_every:
                sheet(trainer, folder / "sheets" / f"{report.images:012d}.png")
            images = report.images


def sheet(trainer: Trainer, path: Path) -> None:
    """Draw what the EMA weights make of two noises of each of the first ten classes, at w = 0, 1 and 3."""
    classes = trainer.dataset.classes[:10]
    request = GridRequest("training", tuple(range(len(classes))), w=(0.0, 1.0, 3.0), samples=2)
    denoiser = trainer.denoiser()
    pictures = draw_grid(denoiser, request)
    save_sheet(draw_sheet(request, pictures, classes), path, request)
