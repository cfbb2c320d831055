"""What the commands share: options with their defaults in the help, what is recorded, progress."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cfg_core.checkpoints.public_names import public_path
from cfg_core.checks import one_line, shown
from cfg_core.data.datasets import DATA_HELP
from cfg_core.guidance.rules import RULES
from cfg_core.program import program_name
from cfg_core.sampling.samplers import SAMPLERS


class _Defaults(argparse.HelpFormatter):
    """Help that ends with the option's default, written as one would type it, where it has one."""

    def _get_help_string(self, action: argparse.Action) -> str:
        about, default = action.help or "", action.default
        none = default is None or default is False or default in ("", [], argparse.SUPPRESS)
        if action.required or none:
            return about
        if isinstance(default, tuple | list):
            texts = (each if isinstance(each, str) else f"{each:g}" for each in default)
            default = (" " if action.nargs else ",").join(texts)
        return f"{about} (default: {str(default).replace('%', '%%')})"


def whole_numbers(value: str) -> tuple[int, ...]:
    """The type of an option that takes a list: "64,128" to (64, 128)."""
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be whole numbers with commas between them, such as 64,128, got {shown(value)}"
        ) from None


class Parser(argparse.ArgumentParser):
    """Its errors are one line, whatever names of files and messages of libraries they hold; its help shows defaults."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"formatter_class": _Defaults, **options})

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


def command_parser(name: str, description: str) -> Parser:
    """The parser of the command of that name."""
    return Parser(f"{program_name()} {name}", description=description)


def add_data_options(p: argparse.ArgumentParser, name: str = "--data") -> None:
    """A group of options that say which data set is meant. name: "data" makes it the first argument."""
    group = p.add_argument_group("data")
    if name.startswith("-"):
        group.add_argument(name, default="fashion_mnist", help=DATA_HELP)
    else:
        group.add_argument(name, help=DATA_HELP)
    group.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    group.add_argument("--size", type=int, help="crop and resize every picture to so many pixels a side")


def add_guidance_options(group: argparse._ArgumentGroup, w: Sequence[float], rule: str, sampler: str) -> None:
    """The options of a group that say how samples are guided and drawn. w, rule, sampler: their defaults."""
    group.add_argument("--w", type=float, nargs="+", default=tuple(w), help="guidance strengths, the paper's w")
    group.add_argument("--rule", default=rule, help=f"of guidance, one of {', '.join(RULES)}")
    group.add_argument("--sampler", default=sampler, help=f"one of {', '.join(SAMPLERS)}")
    group.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of rule or sampler, repeatable"
    )


def recorded_command(name: str, arguments: Sequence[str] | None, parsed: argparse.Namespace) -> str:
    """The command as a card or a curve file may publish it: each path in it as ``public_path`` gives it.

    arguments: those of ``main``, None for the program's. parsed: what the parser made of them.
    """
    values = [value for value in vars(parsed).values() if isinstance(value, str | Path) and str(value)]
    paths = {Path(value) for value in values if isinstance(value, Path) or os.path.exists(value)}

    def published(argument: str) -> str:
        option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
        return option + equals + (public_path(value) if value and Path(value) in paths else value)

    given = sys.argv[1:] if arguments is None else arguments
    return shlex.join(["python", "-m", "cfg_core", name, *map(published, given)])


def progress_bar(disable: bool = False) -> Progress:
    """A bar with description, count and remaining time."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, disable=disable)
