"""Logs stay short."""

import logging

from cfg_core.ui.log_rate import LINES, SECONDS, LogRate


def test_lines_of_one_kind_are_counted_after_the_first_of_a_minute() -> None:
    now = 0.0
    rate = LogRate(lambda: now)

    def record(text: str, *values: object) -> logging.LogRecord:
        return logging.LogRecord("lab", logging.WARNING, "", 0, text, values, None)

    assert sum(rate.filter(record("refused path=%s", n)) for n in range(1000)) == LINES
    assert rate.filter(record("another kind"))
    now = SECONDS
    first = record("refused path=%s", "x")
    assert rate.filter(first)
    assert first.getMessage() == f"refused path=x (and {1000 - LINES} lines left out before)"
    second = record("refused path=%s", "x")
    assert rate.filter(second)
    assert second.getMessage() == "refused path=x"
