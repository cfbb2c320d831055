"""One sentence for whatever is out of range: it names the field, what is allowed and the value given."""

import math
from collections.abc import Collection
from typing import Any


def shown(value: object) -> str:
    """The value as it stands in a message: its repr, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def number(field: str, value: Any, low: float, high: float, *, whole: bool = False) -> Any:
    """The value, if it is a finite number (``whole``: an integer) in [low, high]; otherwise raises ValueError."""
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value) or not low <= value <= high:
        raise ValueError(
            f"{field} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}, got {shown(value)}"
        )
    return value


def choice(field: str, value: Any, allowed: Collection[str]) -> str:
    """The value, if it is one of the allowed names; otherwise raises ValueError."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{field} must be one of {', '.join(allowed)}, got {shown(value)}")
    return value
