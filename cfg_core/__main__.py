"""The command line: ``python -m cfg_core COMMAND …``, or ``guidance-lab COMMAND …`` once installed."""

import importlib
import sys

from cfg_core.program import print_any_text, program_name

COMMANDS = {
    "train": "train a model, jointly with and without the class",
    "classifier": "train a classifier of clean images, or a noise-aware one",
    "sample": "draw a labelled grid of guided samples",
    "evaluate": "measure a model's samples over guidance strengths",
    "measure": "measure a model of the clone anew, whole: curves, strips, card, tables",
    "curves": "print curve files as tables with their conclusions",
    "data": "check a data set and count its images",
    "hub": "push and pull models, deploy the page as a Space",
    "precompute": "draw the strips that ship with the app",
}
"""Name → what it does; each is ``main`` in the file of that name in cfg_core/commands."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command; exits with 2 and one sentence for an unknown one."""
    print_any_text()
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in ("-h", "--help"):
        print(help_text())
    elif not given or given[0] not in COMMANDS:
        found = f"got {given[0]!r}" if given else "got none"
        print(f"{usage()}\nerror: COMMAND must be one of {', '.join(COMMANDS)}, {found}", file=sys.stderr)
        sys.exit(2)
    else:
        importlib.import_module(f"cfg_core.commands.{given[0]}").main(given[1:])


def usage() -> str:
    """The usage line, as the program was called."""
    return f"usage: {program_name()} COMMAND [OPTIONS]"


def help_text() -> str:
    """The commands, each with what it does."""
    listed = [f"  {name:<12}{about}" for name, about in COMMANDS.items()]
    return "\n".join([usage(), "", "commands:", *listed, "", "COMMAND --help lists its options with their defaults."])


if __name__ == "__main__":
    main()
