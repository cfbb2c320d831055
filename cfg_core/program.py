"""The program's name, its output, whether a person sits before it, and the files of its clone."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path

ROOT = Path(__file__).parents[1]


def program_name() -> str:
    """How the program was called: ``guidance-lab``, or ``python -m cfg_core``."""
    return "guidance-lab" if Path(sys.argv[0]).stem == "guidance-lab" else "python -m cfg_core"


def print_any_text() -> None:
    """Let print escape what the encoding of standard output and error lacks, ASCII's in the locale C, and not fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def has_screen() -> bool:
    """Whether a browser that is opened here is seen by whoever started the program: not on a Space, nor over SSH,
    unless that passes a display on."""
    if "SPACE_ID" in os.environ:
        return False
    if sys.platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def in_clone(field: str, path: str) -> Path:
    """A file or folder that lies in a clone of the project, not in the installed package.

    field: the option that names another one. Raises ValueError where there is no clone around the package.
    """
    if not (ROOT / path).exists():
        raise ValueError(f"{field} must be given, because {path} is part of a clone and this is an installed package")
    return ROOT / path
