"""Writing files so that neither a kill nor a second writer leaves a part of one, and finding out beforehand that one
cannot be written."""

import os
import secrets
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers find the old content or the new one, never a part, whoever else writes it.

    Raises OSError where the file cannot be written; nothing is left behind then.
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
