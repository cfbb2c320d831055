"""Validation of input. Each ValueError is one sentence that names the field, what is allowed and the value given."""

from collections.abc import Collection
from typing import Any


def shown(value: object) -> str:
    """The value for a message: its repr, cut to 60 characters."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more than 4,300 digits
        text = f"something too large to show, a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}…"


def number(field: str, value: Any, low: float, high: float, *, whole: bool = False) -> Any:
    """The value, if it is a finite number (``whole``: an integer) in [low, high]; otherwise raises ValueError."""
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:  # nan compares false
        raise ValueError(
            f"{field} must be a {'whole ' if whole else ''}number from {low:.12g} to {high:.12g}, got {shown(value)}"
        )
    return value


def text(field: str, value: Any) -> str:
    """The value, if it is a text that UTF-8 can encode; otherwise raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"{field} must be a text, got {shown(value)}")
    if any("\ud800" <= character <= "\udfff" for character in value):  # what a file name that is not UTF-8 becomes
        raise ValueError(f"{field} must be valid UTF-8, got {shown(value)}")
    return value


def names(field: str, value: Any, count: int) -> tuple[str, ...]:
    """The value, if it is a tuple of so many texts; otherwise raises ValueError."""
    if not isinstance(value, tuple) or len(value) != count or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{field} must be {count} names, got {shown(value)}")
    return tuple(text(field, each) for each in value)


def choice(field: str, value: Any, allowed: Collection[str]) -> str:
    """The value, if it is one of the allowed names; otherwise raises ValueError."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{field} must be one of {', '.join(allowed)}, got {shown(value)}")
    return value
