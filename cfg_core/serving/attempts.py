"""A bound of how often something may be tried, such as a code."""

import time
from collections import Counter
from collections.abc import Callable


class Attempts:
    """So many of one client address, and of all together, in so many seconds. clock: seconds, from any origin."""

    def __init__(
        self, of_address: int, of_all: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = of_address, of_all
        self._seconds, self._clock = seconds, clock
        self._began = clock()
        self._counts: Counter[str] = Counter()

    def exhausted(self, address: str) -> bool:
        """Whether that address, or all together, may try no more for now."""
        if self._clock() - self._began >= self._seconds:
            self._began = self._clock()
            self._counts.clear()
        return self._counts[address] >= self._most[0] or self._counts.total() >= self._most[1]

    def count(self, address: str) -> None:
        """One more."""
        self._counts[address] += 1
