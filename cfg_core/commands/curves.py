"""Curve files as Markdown tables with their conclusions.

python -m cfg_core curves assets/curves
"""

from pathlib import Path

from cfg_core.commands.common import command_parser
from cfg_core.evaluation.curves import markdown, read_curves
from cfg_core.program import in_clone

SHIPPED = "assets/curves"


def main(arguments: list[str] | None = None) -> None:
    """Print the Markdown; exits with 2 and one sentence where anything is wrong with the files."""
    p = command_parser("curves", "Curve files as Markdown tables with their conclusions.")
    data = p.add_argument_group("data")
    data.add_argument(
        "folder", type=Path, nargs="?", help=f"where evaluate wrote its JSON files; by default {SHIPPED} of the project"
    )
    folder = p.parse_args(arguments).folder
    try:
        curves = read_curves(folder or in_clone("folder", SHIPPED))
    except ValueError as error:
        p.error(str(error))
    if curves.problems:
        p.error(curves.problems[0])
    print(markdown(curves))
