"""Return freed memory to the system.

The GNU C library keeps freed memory that lies below anything still in use. Every evaluation frees megabytes, and the
finished grids of the cache lie among them, in the heaps of many threads: without this a busy app grows by hundreds of
unused megabytes. For the same reason threads share few heaps.
"""

import ctypes
import sys
import threading
import time
from typing import Any

INTERVAL = 60.0
"""Seconds between two trims."""


M_ARENA_MAX, HEAPS = -8, 2
"""``mallopt``'s parameter for the number of heaps that threads share, by its number in the GNU C library; its value."""


def _call(name: str, *numbers: int) -> None:
    """Call a function of the GNU C library, if there is one of that name."""
    found: Any = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if found:
        found(*numbers)


def trim() -> None:
    """Return freed memory now."""
    _call("malloc_trim", 0)


def keep_trimming() -> None:
    """Share few heaps from now on, and return freed memory every INTERVAL seconds, in a thread of its own."""
    _call("mallopt", M_ARENA_MAX, HEAPS)

    def trim_forever() -> None:
        while True:
            time.sleep(INTERVAL)
            trim()

    threading.Thread(target=trim_forever, name="memory", daemon=True).start()
