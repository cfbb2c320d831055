"""``python -m cfg_core data``: check a data set and count its images."""

import argparse
from pathlib import Path

from cfg_core.data.datasets import DATA_HELP, load_splits

# ---- the command line ----


def main(arguments: list[str] | None = None) -> None:
    """Check a data set and print what is in it; exits with 2 and one sentence on bad input."""
    from rich.console import Console
    from rich.table import Table

    p = argparse.ArgumentParser("python -m cfg_core data", description="What is in a data set.")
    p.add_argument("data", help=DATA_HELP)
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--size", type=int, help="crop and resize every picture to so many pixels a side")
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
        table.add_row(name, *(f"{int((part.labels == label).sum()):,}" for part in (training, test)))
    table.add_row("all", f"{len(training.labels):,}", f"{len(test.labels):,}", style="bold")
    Console().print(table)
