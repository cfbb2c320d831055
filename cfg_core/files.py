"""Atomic writes, and the check beforehand that a path can be written."""

import os
import secrets
import tempfile
from pathlib import Path


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


def check_writable_path(field: str, path: Path) -> None:
    """Raises ValueError unless a file or folder can be created at that path, or a file there be replaced.

    Creates its parent folders and nothing else. Called before long work whose result is written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError("it is read-only")
    except OSError as error:
        raise ValueError(f"{field} must be a place that can be written, got {path} ({error})") from error
