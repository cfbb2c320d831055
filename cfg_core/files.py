"""Writing files so that a kill never leaves a part of one, and finding out beforehand that one cannot be written."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never a part."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def check_writable_path(field: str, path: Path) -> None:
    """Raises ValueError unless a new file or folder can be made at that path, or a file there be replaced.

    Makes the folders above it, and leaves nothing else. For before a long piece of work whose result goes there.
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
