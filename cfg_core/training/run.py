"""A training run in its folder: progress, log, saves and sample sheets, by one process at a time."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout
from rich.progress import Progress

from cfg_core.checks import parse_json
from cfg_core.files import write_atomically
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet, save_sheet
from cfg_core.training.trainer import Report, Trainer

LOG, SHEETS, LOCK = "log.jsonl", "sheets", "lock"

log = logging.getLogger(__name__)


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """The folder of a run, for this process alone until it leaves or ends, in whatever way. Raises ValueError at once
    where another process has it."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"run must be a folder in which no other process trains, got {folder}") from None
    except NotImplementedError:
        log.warning("no locks on the file system of %s: no other process may train there", folder)
    try:
        yield
    finally:
        lock.release()


def follow(trainer: Trainer, folder: Path, command: str, save_every: int, sheet_every: int, progress: Progress) -> None:
    """Run the trainer to its end, with a progress bar, a log, saves and sample sheets.

    command: recorded in model card and config. save_every, sheet_every: images between two of them; both come at the
    next report. What belongs to a step is written before its state, so that a kill loses none of it. Raises
    NotFiniteError as ``Trainer.advance`` and ``Trainer.check_finite``, OSError where the folder cannot be written.
    """
    main = trainer.accelerator.is_main_process
    images = trainer.step * trainer.options.batch
    task = progress.add_task("loss", total=trainer.options.images, completed=images)
    for report in trainer.run():
        last = report.step == trainer.options.steps
        saves, draws = (last or report.images // every > images // every for every in (save_every, sheet_every))
        if saves or draws:
            trainer.check_finite()
        if main and draws:
            save_sample_sheet(trainer, folder / SHEETS / f"{report.images:012d}.png")
        if main and saves:
            write_log(folder / LOG, report)
        if saves:
            trainer.save(folder, command)
        parts = {"conditional": report.conditional, "unconditional": report.unconditional}
        split = ", ".join(f"{name} {loss:.4f}" for name, loss in parts.items() if loss is not None)
        progress.update(task, description=f"loss {report.loss:.4f} ({split})", completed=report.images)
        images = report.images


def write_log(path: Path, report: Report) -> None:
    """Add the report's line to those of earlier steps. Lines of later steps, whose state a kill kept from being saved,
    are left out, for the run comes to them again; so are those that are no lines of a log."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    kept = [line for line in lines if _step(line) < report.step]
    write_atomically(path, "".join(f"{line}\n" for line in [*kept, json.dumps(asdict(report))]).encode())


def _step(line: str) -> float:
    """The step of a line of the log, infinite where it has none."""
    try:
        found = parse_json("log", line)
    except ValueError:
        return float("inf")
    step = found.get("step") if isinstance(found, dict) else None
    return step if isinstance(step, int) else float("inf")


def save_sample_sheet(trainer: Trainer, path: Path) -> None:
    """Draw two samples of each of the first ten classes at w = 0, 1 and 3 with the EMA weights; none where a sample is
    not finite, which is logged."""
    classes = trainer.dataset.classes[:10]
    request = GridRequest("training", tuple(range(len(classes))), w=(0.0, 1.0, 3.0), samples=2)
    try:
        samples = draw_grid(trainer.denoiser(), request)
    except ValueError as error:
        log.warning("no sample sheet after %d images: %s", trainer.step * trainer.options.batch, error)
        return
    save_sheet(draw_sheet(request, samples, classes), path, request)
