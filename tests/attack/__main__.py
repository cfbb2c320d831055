"""python -m tests.attack [--seconds 60] [--only NAME …] [--short] [--json FILE]

Attacks on a running app, on this machine alone: each for some time on an app of its own, beside an innocent visitor
who changes the class about once a second, and newcomers; each visitor has an address of its own. Prints a line for each
attack, and exits with 1 where a goal is missed. The short form, which tests run, makes a few attacks one after the
other on one app that may open 256 files, and has no goals of time.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cfg_core.program import print_any_text
from tests.attack.attacks import ATTACKS, FEW_DESCRIPTORS, SHORT
from tests.attack.measure import HIGHEST, LEFT, SLOWER, Row, measure, percentile, warm_up
from tests.benchmarks.startup import Page, running

DESCRIPTORS = 256
"""macOS's default."""

SHORT_SECONDS = 2.0
"""Of each attack of the short form."""

NEWCOMERS = 3
"""During each attack; during those of the short form one."""

WIDTH = 220
"""Columns of the table where the output is no terminal."""


def main() -> None:
    print_any_text()
    p = argparse.ArgumentParser("python -m tests.attack", description="What one visitor can do to the others.")
    p.add_argument("--seconds", type=float, default=60, help="of each attack (60)")
    p.add_argument("--only", nargs="+", choices=ATTACKS, metavar="NAME", help=f"of {', '.join(ATTACKS)}")
    p.add_argument("--short", action="store_true", help="a few attacks of two seconds, without goals of time")
    p.add_argument("--json", type=Path, help="a file for what was measured")
    options = p.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    names: list[str] = options.only or list(SHORT if options.short else ATTACKS)
    rows = short(names) if options.short else list(each_alone(names, options.seconds, console))
    calm = [wait for row in rows for wait in row.calm]
    undisturbed = None if options.short else percentile(calm, 95)
    missed = {row.attack: row.missed(undisturbed) for row in rows}
    console.print(table(rows, calm, missed))
    for row in rows:
        for said in dict.fromkeys([*row.refused, *row.late, *row.faults]):
            console.print(f"{row.attack}: {said}", highlight=False, markup=False)
    if options.json:
        found = [asdict(row) | {"missed": missed[row.attack]} for row in rows]
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.exit(any(missed.values()))


@contextmanager
def app(descriptors: int | None) -> Iterator[tuple[Page, Path]]:
    """A running app with its ordinary limits, warmed up, and the folder of its temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TMPDIR": folder, "GRADIO_TEMP_DIR": folder}
        with running("checkpoints/fashion-mnist", descriptors=descriptors) as page:
            asyncio.run(warm_up(page))
            yield page, Path(folder)


def each_alone(names: list[str], seconds: float, console: Console) -> Iterator[Row]:
    """Each attack on an app of its own."""
    for name in names:
        with app(DESCRIPTORS if name in FEW_DESCRIPTORS else None) as (page, folder):
            row = asyncio.run(measure(page, name, seconds, max(5, seconds / 4), NEWCOMERS, folder))
        console.print(f"{name}: {row.sent} requests", highlight=False)
        yield row


def short(names: list[str]) -> list[Row]:
    """The attacks one after the other on one app."""
    with app(DESCRIPTORS) as (page, folder):
        return [asyncio.run(measure(page, name, SHORT_SECONDS, 0, 1, folder)) for name in names]


def table(rows: list[Row], calm: list[float], missed: dict[str, list[str]]) -> Table:
    """A line for each attack. calm: the innocent visitor's seconds without an attack."""
    title = f"Goals: innocent p95 ≤ {SLOWER:g} × undisturbed, memory ≤ {HIGHEST:g} MB and back to within {LEFT:g} MB"
    shown = Table(title=title)
    for heading in ("attack", "sent", "answers"):
        shown.add_column(heading, overflow="fold")
    for heading in (
        "memory MB: before, height, after",
        "cores after",
        "open files",
        "log KB",
        "tracebacks",
        "files left",
    ):
        shown.add_column(heading, justify="right")
    for heading in ("innocent p50, p95", "newcomers", "goals missed"):
        shown.add_column(heading, overflow="fold")
    if calm:
        shown.add_row("(undisturbed)", *8 * [""], seconds(calm))
    for row in rows:
        usages = row.before, row.height, row.after
        answers = ", ".join(f"{number} × {kind}" for kind, number in sorted(row.answers.items()) if number)
        unserved = sorted({each.partition(":")[0] for each in row.refused} | {f"{each} late" for each in row.late})
        shown.add_row(
            row.attack + (f" ({DESCRIPTORS} descriptors)" if row.attack in FEW_DESCRIPTORS else ""),
            str(row.sent),
            answers,
            " ".join(f"{each.memory:.0f}" for each in usages),
            f"{row.busy:.1f}",
            " ".join(str(each.open_files) for each in usages),
            f"{row.log_bytes / 1024:.0f}",
            str(row.tracebacks),
            str(row.files_left),
            seconds(row.waits),
            f"{row.newcomers}: {', '.join(unserved) or 'all served'}",
            ", ".join(missed[row.attack]) or "none",
        )
    return shown


def seconds(waits: list[float]) -> str:
    """Median and 95th percentile."""
    return f"{percentile(waits, 50):.2f} s, {percentile(waits, 95):.2f} s"


if __name__ == "__main__":
    main()
