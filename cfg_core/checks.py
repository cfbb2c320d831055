"""Validation of input. Each ValueError is one sentence that names the field, what is allowed and the value given."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

LONGEST_TEXT, LONGEST_NAME, LONGEST_MESSAGE = 10_000, 100, 500
"""Characters of a text, of a name that a page, a sheet or a card shows, and of an error's message."""


DEEPEST = 16
"""Levels of a JSON value that is passed on."""


CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that end a line, drive a terminal or change the direction of the text around them."""


def shown(value: object) -> str:
    """The value for a message: its repr, cut to 60 characters."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more than 4,300 digits
        text = f"something too large to show, a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}…"


def one_line(message: object) -> str:
    """A message that may hold names of files and messages of libraries, as one line that any terminal and any page can
    show, cut to LONGEST_MESSAGE characters."""
    plain = " ".join(part.strip() for part in str(message).splitlines()).encode("utf-8", "backslashreplace").decode()
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in plain)
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"


def number(field: str, value: Any, low: float, high: float, *, whole: bool = False) -> Any:
    """The value, if it is a finite number (``whole``: an integer) in [low, high]; otherwise raises ValueError."""
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:  # nan compares false
        raise ValueError(
            f"{field} must be a {'whole ' if whole else ''}number from {low:.12g} to {high:.12g}, got {shown(value)}"
        )
    return value


def boolean(field: str, value: Any) -> bool:
    """The value, if it is true or false; otherwise raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{field} must be true or false, got {shown(value)}")
    return value


def text(field: str, value: Any, longest: int = LONGEST_TEXT) -> str:
    """The value, if it is a text that UTF-8 can encode, of at most ``longest`` characters, its control characters only
    tabs and line feeds; otherwise raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"{field} must be a text, got {shown(value)}")
    if len(value) > longest:
        raise ValueError(f"{field} must be at most {longest:,} characters, got {len(value):,}: {shown(value)}")
    if any("\ud800" <= character <= "\udfff" for character in value):  # what a file name that is not UTF-8 becomes
        raise ValueError(f"{field} must be valid UTF-8, got {shown(value)}")
    if CONTROL.search(value.replace("\n", " ").replace("\t", " ")):
        raise ValueError(f"{field} must have no control characters, got {shown(value)}")
    return value


def line(field: str, value: Any, longest: int = LONGEST_NAME) -> str:
    """The value, if it is a text of one line; otherwise raises ValueError as ``text`` does."""
    if "\n" in text(field, value, longest) or "\t" in value:
        raise ValueError(f"{field} must be one line without tabs, got {shown(value)}")
    return value


def names(field: str, value: Any, count: int) -> tuple[str, ...]:
    """The value, if it is a tuple of so many names; otherwise raises ValueError."""
    if not isinstance(value, tuple) or len(value) != count or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{field} must be {count} names, got {shown(value)}")
    return tuple(line(field, each) for each in value)


def choice(field: str, value: Any, allowed: Collection[str]) -> str:
    """The value, if it is one of the allowed names; otherwise raises ValueError."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{field} must be one of {', '.join(allowed)}, got {shown(value)}")
    return value


def parse_json(field: str, content: str) -> Any:
    """The value of a JSON text; otherwise raises ValueError, also for one that is nested too deeply."""
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{field} is not JSON: {error}") from error
    except RecursionError:
        raise ValueError(f"{field} is nested too deeply") from None


def json_value(field: str, value: Any, depth: int = DEEPEST) -> Any:
    """The value, if it is JSON that any page can be sent: at most ``depth`` levels, finite numbers, texts as ``text``
    takes them; otherwise raises ValueError."""
    if isinstance(value, Mapping | list):
        if not depth:
            raise ValueError(f"{field} must not be nested that deeply, got {shown(value)}")
        named = value.items() if isinstance(value, Mapping) else ((None, each) for each in value)
        for key, each in named:
            json_value(field if key is None else f"{field}.{line(f'a name in {field}', key)}", each, depth - 1)
    elif isinstance(value, str):
        text(field, value)
    elif value is not None and not isinstance(value, bool):
        number(field, value, -1e15, 1e15)
    return value
