"""Freed memory goes back to the system.

The GNU C library keeps what is freed below anything that is still in use. Every evaluation frees megabytes, and the
finished grids that the cache keeps lie among them, in the heaps of many threads: without this a busy app grows by
hundreds of megabytes that nobody uses.
"""

import ctypes
import sys
import threading
import time

EVERY = 60.0
"""Seconds between two rounds."""


def give_back() -> None:
    """Give back now what is free; nothing happens where the C library has no such call."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def keep_giving_back() -> None:
    """Give back every so often, from a thread of its own, as long as the process lives."""

    def rounds() -> None:
        while True:
            time.sleep(EVERY)
            give_back()

    threading.Thread(target=rounds, name="memory", daemon=True).start()
