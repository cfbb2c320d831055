"""Lessons by name, each in one or several languages: NAME.md in English, NAME.LANGUAGE.md in another."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cfg_core.checks import one_line, shown
from cfg_core.files import read_text
from cfg_core.lessons.lesson import Lesson
from cfg_core.lessons.parser import parse_lesson

SHIPPED = Path(__file__).parents[2] / "assets" / "lessons"
ENGLISH = "en"
FILE = re.compile(r"(?P<name>[\w-]{1,40})(\.(?P<language>[a-z]{2}))?\.md", re.ASCII)

Library = Mapping[str, Mapping[str, Lesson]]
"""Name → language → lesson."""


def read_lessons(paths: Iterable[Path]) -> Library:
    """The lessons of these files. Raises ValueError, in one sentence, for one that cannot be read or is none."""
    found: dict[str, dict[str, Lesson]] = {}
    for path in paths:
        named = FILE.fullmatch(path.name)
        if not named:
            raise ValueError(
                f"lesson must be a file NAME.md or NAME.LANGUAGE.md, such as my.md or my.de.md, got {shown(path.name)}"
            )
        try:
            lesson = parse_lesson(read_text(path))
        except OSError as error:
            raise ValueError(
                f"lesson must be a file that can be read, got {one_line(path)}: {one_line(error)}"
            ) from error
        except UnicodeDecodeError:
            raise ValueError(f"lesson must be UTF-8, got {one_line(path)}") from None
        except ValueError as error:
            raise ValueError(f"{one_line(path)}, {error}") from None
        found.setdefault(named["name"], {})[named["language"] or ENGLISH] = lesson
    return found


def described(library: Library) -> dict[str, dict[str, Any]]:
    """For the page."""
    return {name: {each: lesson.to_json() for each, lesson in languages.items()} for name, languages in library.items()}


def shipped_lessons() -> Library:
    """Those of assets/lessons."""
    return read_lessons(sorted(SHIPPED.glob("*.md")))
