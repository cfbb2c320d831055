"""The languages of the page: a catalogue of its words each, assets/languages/NAME.json, key → words.

The document carries one of them: that of the field ``lang`` of its address, or the first of those that the browser asks
for, or English.
"""

import json
from collections.abc import Mapping

from cfg_core.ui.scripts import ASSETS

ENGLISH = "en"
OWN_NAME = "language.name"
"""The key of a language's own name."""

CATALOGUES: Mapping[str, Mapping[str, str]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ASSETS / "languages").glob("*.json"))
}
"""Language, two letters → key → words."""


def chosen_language(wanted: str, accepted: str) -> str:
    """wanted: of the address. accepted: the header Accept-Language."""
    ranked = sorted((_ranked(part) for part in accepted.split(",")), key=lambda each: -each[1])
    for each in (wanted, *(name for name, weight in ranked if weight > 0)):
        if each[:2].lower() in CATALOGUES:
            return each[:2].lower()
    return ENGLISH


def _ranked(part: str) -> tuple[str, float]:
    """A language and its weight."""
    name, _, weight = part.strip().partition(";q=")
    try:
        return name, float(weight or 1)
    except ValueError:
        return name, 0.0


def words_script(language: str) -> str:
    """The element with a catalogue; what could end it is written otherwise."""
    catalogue = json.dumps(CATALOGUES[language], ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="words" lang="{language}">{catalogue}</script>'
