"""Curve files as Markdown tables with their conclusions.

python -m cfg_core curves assets/curves
"""

from pathlib import Path

from cfg_core.commands.common import command_parser
from cfg_core.evaluation.curves import CURVES_FOLDER, markdown, read_curves


def main(arguments: list[str] | None = None) -> None:
    """Print the Markdown; exits with 2 and one sentence where anything is wrong with the files."""
    p = command_parser("curves", "Curve files as Markdown tables with their conclusions.")
    p.add_argument("folder", type=Path, nargs="?", default=CURVES_FOLDER, help="where evaluate wrote its JSON files")
    curves = read_curves(p.parse_args(arguments).folder)
    if curves.problems:
        p.error(curves.problems[0])
    print(markdown(curves))
