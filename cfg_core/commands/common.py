"""What the commands share: options with their defaults in the help, progress."""

import argparse

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class _Defaults(argparse.HelpFormatter):
    """Help that ends with the option's default, written as one would type it, where it has one."""

    def _get_help_string(self, action: argparse.Action) -> str:
        about, default = action.help or "", action.default
        if action.required or default in (None, False, "", argparse.SUPPRESS) or "%(default)" in about:
            return about
        if isinstance(default, tuple):
            default = (" " if action.nargs else ",").join(f"{each:g}" for each in default)
        return f"{about} (default: {str(default).replace('%', '%%')})"


def command_parser(name: str, description: str) -> argparse.ArgumentParser:
    """The parser of ``python -m cfg_core NAME``; its help shows defaults."""
    return argparse.ArgumentParser(f"python -m cfg_core {name}", description=description, formatter_class=_Defaults)


def progress_bar(disable: bool = False) -> Progress:
    """A bar with description, count and remaining time."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, disable=disable)
