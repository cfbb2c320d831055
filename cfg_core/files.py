"""Atomic writes, and the check beforehand that a path can be written."""

import os
import secrets
import tempfile
from pathlib import Path

from cfg_core.checks import text


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old content or the new one, never a part, also with several writers.

    Raises OSError where the file cannot be written; no partial file remains then.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
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
    text(field, str(path))
    place = path if folder else path.parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
        if not folder and path.is_dir():
            raise IsADirectoryError("it is a folder")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError("it is read-only")
    except OSError as error:
        kind = "folder" if folder else "file"
        raise ValueError(
            f"{field} must be a {kind} that can be written, got {path} ({error.strerror or error})"
        ) from error
