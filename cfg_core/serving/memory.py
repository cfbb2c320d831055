"""Freed memory goes back to the system.

The GNU C library keeps what is freed below anything that is still in use. Every evaluation frees megabytes, and the
finished grids that the cache keeps lie among them, in the heaps of many threads: without this a busy app grows by
hundreds of megabytes that nobody uses. So threads also share few heaps.
"""

import ctypes
import sys
import threading
import time
from typing import Any

EVERY = 60.0
"""Seconds between two rounds."""


M_ARENA_MAX, HEAPS = -8, 2
"""A parameter of the GNU C library, by its number there: between how many heaps threads are divided."""


def _call(name: str, *numbers: int) -> None:
    """A function of the GNU C library; nothing happens where there is none of that name."""
    found: Any = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if found:
        found(*numbers)


def trim() -> None:
    """Give back now what is free."""
    _call("malloc_trim", 0)


def keep_trimming() -> None:
    """Have few heaps from now on, and give back every so often from a thread of its own."""
    _call("mallopt", M_ARENA_MAX, HEAPS)

    def rounds() -> None:
        while True:
            time.sleep(EVERY)
            trim()

    threading.Thread(target=rounds, name="memory", daemon=True).start()
