"""``python -m cfg_core data``: check a data set and count its images."""

import argparse

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cfg_core.commands.common import add_data_options, command_parser
from cfg_core.data.datasets import load_splits


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("data", "Check a data set and count its pictures, class by class.")
    add_data_options(p, "data")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Check a data set and print its contents; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    try:
        training, test = load_splits(a.data, a.data_root, a.size)
    except (ValueError, OSError) as error:
        p.error(str(error))
    channels, size = training.images.shape[1:3]
    print(f"{training.name}: {len(training.classes)} classes, {size}×{size}, {'grey' if channels == 1 else 'colour'}")
    table = Table()
    for heading in ("class", "to train on", "held out for tests"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for label, name in enumerate(training.classes):
        counts = (f"{int((part.labels == label).sum()):,}" for part in (training, test))
        table.add_row(Text(name), *counts)  # as Text, a name is printed literally
    table.add_row("all", f"{len(training.labels):,}", f"{len(test.labels):,}", style="bold")
    Console().print(table)
