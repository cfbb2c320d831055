"""A log that stays short whatever strangers send: so many lines of one kind a minute, and how many were left out."""

import logging
import time
from collections import Counter
from collections.abc import Callable

LINES, SECONDS = 20, 60.0
"""Lines of one kind (a logger and the text before its values are put in) in so many seconds."""


class LogRate(logging.Filter):
    """clock: seconds, from any origin."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._began = clock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; the first of a new minute says how many of the last were not."""
        if self._clock() - self._began >= SECONDS:
            if self._left_out:
                record.msg = f"{record.msg} (and {self._left_out} lines left out before)"
            self._began, self._left_out = self._clock(), 0
            self._counts.clear()
        kind = (record.name, str(record.msg)[:100])
        self._counts[kind] += 1
        if self._counts[kind] <= LINES:
            return True
        self._left_out += 1
        return False


def bound_logs() -> None:
    """Filter what the handlers of all loggers write, those of the web server too, which it has once it runs."""
    rate = LogRate()
    names = (None, "uvicorn", "uvicorn.access")
    for handler in {handler for name in names for handler in logging.getLogger(name).handlers}:
        handler.addFilter(rate)
