"""Emphasis, links and measured figures in a line of a lesson. Anything else is plain text; HTML is refused."""

import re

from cfg_core.checks import shown
from cfg_core.lessons.lesson import FIGURES, Span, Text

LONGEST_LINK = 500

PIECE = re.compile(
    r"\*\*(?P<strong>[^*]+)\*\*|\*(?P<em>[^*]+)\*|\[(?P<name>[^][]+)\]\((?P<link>[^()\s]*)\)|\{(?P<figure>[^{}]*)\}"
)
LINK = re.compile(r"https?://[\w.-]+(:\d+)?(/[^\s<>\"'`\\]*)?", re.ASCII)
HTML = re.compile(r"<[a-zA-Z/!?]|&[a-zA-Z#]\w*;")


def parse_text(source: str) -> Text:
    """The pieces of a text. Raises ValueError for HTML, and for a link or a figure that there is not."""
    if found := HTML.search(source):
        raise ValueError(
            "HTML is not taken in a lesson, only *emphasis*, **strong** and [links](https://…), "
            f"got {shown(source[found.start() :])}"
        )
    spans, at = [], 0
    for piece in PIECE.finditer(source):
        if piece.start() > at:
            spans.append(_plain(source[at : piece.start()]))
        at = piece.end()
        spans.append(_span(piece))
    if at < len(source):
        spans.append(_plain(source[at:]))
    return tuple(spans)


def _plain(source: str) -> Span:
    if "](" in source:
        raise ValueError(
            f"a link must be [text](https://…) without spaces and brackets in its address, got {shown(source)}"
        )
    return Span(source)


def _span(piece: re.Match[str]) -> Span:
    if piece["strong"] or piece["em"]:
        return Span(piece["strong"] or piece["em"], style="strong" if piece["strong"] else "em")
    if piece["name"]:
        link = piece["link"]
        if len(link) > LONGEST_LINK or not LINK.fullmatch(link):
            raise ValueError(
                f"a link must begin with http:// or https:// and have at most {LONGEST_LINK} characters, "
                f"got {shown(link)}"
            )
        return Span(piece["name"], link=link)
    if piece["figure"] not in FIGURES:
        raise ValueError(f"a figure in braces must be one of {', '.join(FIGURES)}, got {shown(piece['figure'])}")
    return Span("", figure=piece["figure"])


def count_words(text: Text) -> int:
    """Words of a text; a figure is one."""
    return len("".join(span.text or "0" for span in text).split())
