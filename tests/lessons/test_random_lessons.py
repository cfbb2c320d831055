"""Any file is a lesson or refused in one sentence, and a lesson carries no script."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cfg_core.lessons.inline import parse_text
from cfg_core.lessons.library import SHIPPED
from cfg_core.lessons.parser import parse_lesson
from tests.random_json import QUICK, read_or_refused

LINES = (SHIPPED / "guidance.md").read_text(encoding="utf-8").split("\n")[:45]
ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "?" + "a=1&" * 300,
            "? =",
            "> ?w=nan",
            "- [x] [x] x",
            "choose sure:",
            "{}",
            "[a](https://x.y/)",
            "\u202e",
            "9" * 5000,
        ]
    ),
)


@QUICK
@given(st.dictionaries(st.integers(0, len(LINES) - 1), ODD, max_size=4))
def test_a_damaged_file_is_a_lesson_or_refused(changes: dict[int, str]) -> None:
    source = "\n".join(changes.get(n, line) for n, line in enumerate(LINES))
    if lesson := read_or_refused(lambda: parse_lesson(source)):
        json.dumps(lesson.to_json(), allow_nan=False).encode()


@QUICK
@given(st.text(max_size=400))
def test_any_text_is_a_lesson_or_refused(source: str) -> None:
    read_or_refused(lambda: parse_lesson(source))


@QUICK
@given(
    st.lists(
        st.sampled_from(
            ["[", "](", ")", "javascript:", "https://", "x.y", "*", "**", "{", "sure", "}", " ", "<", "a", '"', "\n"]
        ),
        max_size=20,
    )
)
def test_a_link_leads_to_http_and_nowhere_else(pieces: list[str]) -> None:
    for span in read_or_refused(lambda: parse_text("".join(pieces))) or ():
        assert not span.link or span.link.startswith(("http://", "https://"))
        assert not set('"<> \n') & set(span.link)
