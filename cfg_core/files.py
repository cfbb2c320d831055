"""Atomic writes, the check beforehand that a path can be written, and reads that are bounded."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cfg_core.checks import text

LONGEST_FILE_NAME, LONGEST_PATH = 255, 4096
"""Characters of the name of a file or folder, and of a path."""


MOST_TEXT_BYTES = 10_000_000
"""Of a text file that is read; what JSON makes of it may take thirty times as much memory."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old content or the new one, never a part, also with several writers.

    Raises OSError where the file cannot be written; no partial file remains then.
    """
    partial = path.with_name(f"{secrets.token_hex(16)}.partial")  # its length does not depend on the file's name
    try:
        with partial.open("xb") as file:
            file.write(content)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def check_writable(field: str, path: Path, folder: bool = False) -> None:
    """Raises ValueError unless a file can be written at that path, or with ``folder`` files in a folder there.

    Makes the folders that lead to it, and leaves nothing else. For before a long piece of work whose result goes there.
    """
    text(field, str(path), LONGEST_PATH)
    place = path if folder else path.parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
        with suppress(FileNotFoundError):
            path.lstat()  # fails where the name is too long
        if not folder and path.is_dir():
            raise IsADirectoryError("it is a folder")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError("it is read-only")
    except OSError as error:
        kind = "folder" if folder else "file"
        raise ValueError(
            f"{field} must be a {kind} that can be written, got {path} ({error.strerror or error})"
        ) from error


def check_regular(path: Path) -> None:
    """Raises OSError unless there is a file at that path, no folder, pipe or device; links are followed."""
    if not os.path.isfile(path):
        reason = "is no file" if os.path.exists(path) else "leads nowhere" if os.path.islink(path) else "is missing"
        raise OSError(f"{path.name} {reason}")


def read_text(path: Path) -> str:
    """The content of a text file. Raises OSError for what is no file or too large, ValueError for what is no UTF-8."""
    check_regular(path)
    with path.open("rb") as file:
        content = file.read(MOST_TEXT_BYTES + 1)
    if len(content) > MOST_TEXT_BYTES:
        raise OSError(f"{path.name} has more than {MOST_TEXT_BYTES:,} bytes")
    return content.decode("utf-8")


def file_hash(paths: Iterable[Path]) -> str:
    """The first 12 hex digits of the SHA-256 of the files' contents, one after the other. Raises OSError."""
    found = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(2**24):
                found.update(block)
    return found.hexdigest()[:12]
