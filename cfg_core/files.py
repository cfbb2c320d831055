"""Writing files so that neither a kill nor a second writer leaves a part of one."""

import os
import secrets
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
