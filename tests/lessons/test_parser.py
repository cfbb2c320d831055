"""A lesson's file: what it says is kept, and a mistake is one sentence with its line."""

import re
from pathlib import Path

import pytest

from cfg_core.lessons.lesson import KINDS, Span
from cfg_core.lessons.library import SHIPPED, read_lessons, shipped_lessons
from cfg_core.lessons.parser import parse_lesson

WHOLE = """# A lesson

## First
?class=8&w=0

A *few* words, [a link](https://arxiv.org/abs/2207.12598)
and {sure}.

choose: Which?
- one
- [x] **two**

> ?class=8&w=3
> It is two.

## Last
Nothing is asked.
"""


def test_a_lesson_keeps_what_its_file_says() -> None:
    lesson = parse_lesson(WHOLE)
    first, last = lesson.steps
    assert (lesson.title, first.title, first.address, first.then_address) == (
        "A lesson",
        "First",
        "class=8&w=0",
        "class=8&w=3",
    )
    assert first.words == (
        Span("A "), Span("few", style="em"), Span(" words, "), Span("a link", link="https://arxiv.org/abs/2207.12598"),
        Span(" and "), Span("", figure="sure"), Span("."),
    )  # fmt: skip
    assert first.question
    assert first.question.kind == "choose"
    assert [(option.text, option.mark) for option in first.question.options] == [
        ((Span("one"),), ""),
        ((Span("two", style="strong"),), "x"),
    ]
    assert first.reveal == (Span("It is two."),)
    assert (last.address, last.question, last.reveal) == ("", None, ())
    assert parse_lesson(WHOLE.replace("\n", "\r\n")) == lesson


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("# A lesson\n", ""), "line 2: the lesson must begin with # and its title"),
        (("# A lesson", "A lesson"), "line 1: before the first ## there may be only # and the lesson's title"),
        (("## Last", "# Last"), "line 16: a title must begin with # in the first line and with ## before each step"),
        (("?class=8&w=0", "?clas=8"), "line 4: 'clas' is no field of an address of the page"),
        (("?class=8&w=0", "?w=9"), "line 4: w must be a number from -1 to 8, got 9"),
        (("?class=8&w=0", "?tab=nowhere"), "line 4: tab must be one of explore, step, toy2d, tradeoff, got 'nowhere'"),
        (("?class=8&w=0", "?toy2d_w=-1"), "line 4: w must be a number from 0 to 8, got -1"),
        (("?class=8&w=0", "?class=1&class=2"), "line 4: an address must have each field once, got '?class=1&class=2'"),
        (("?class=8&w=0", "?class"), "line 4: an address must be ?field=value&field=value, got '?class'"),
        (("and {sure}", "and {truth}"), "line 7: a figure in braces must be one of lowest w, lowest fid, sure"),
        (("and {sure}", "<script>alert(1)</script>"), "line 7: HTML is not taken in a lesson"),
        (("and {sure}", "&lt;b&gt;"), "line 7: HTML is not taken in a lesson"),
        (("https://arxiv.org", "javascript:alert//"), "line 6: a link must begin with http:// or https://"),
        (("https://arxiv.org", "javascript:alert(1)//"), "line 6: a link must be [text](https://…)"),
        (("and {sure}", "word " * 40), "line 7: the words of a step must have at most 40 words, got 46"),
        (("choose: Which", "chose: Which"), "line 9: a question must be one of choose, choose sure"),
        (("- one", "- [rises] one"), "line 10: an answer must begin with [x], got '[rises] one'"),
        (("choose: Which", "choose sure: Which"), "line 10: an answer must begin with [rises] or [falls]"),
        (("- one", "- [x] one"), "line 11: one answer must be [x], got another"),
        (("- one\n", ""), "line 9: a question must have at least 2 answers, - text, got 1"),
        (("[x] ", ""), "line 9: one answer must be right, - [x] text"),
        (("> It is two.\n", ""), "line 9: a question must have something to reveal, > text"),
        (("choose: Which?\n- one\n- [x] **two**\n", "guided: Which?\n- one\n"), "line 10: answers, - text"),
        (("Nothing is asked.", "> Nothing."), "line 17: what is revealed needs a question before it"),
        (("Nothing is asked.\n", ""), "line 16: the step 'Last' must have a few words"),
        (("## Last", "More.\n\n## Last"), "line 16: after what is revealed comes the next ## step, got 'More.'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_its_line(change: tuple[str, str], sentence: str) -> None:
    assert change[0] in WHOLE
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        parse_lesson(WHOLE.replace(*change, 1))


@pytest.mark.parametrize(
    "source", ["", "# Only a title", "# T\n" + "## S\nwords\n" * 61, "x" * 100_001, "# T\n## S\n" + "w " * 3000]
)
def test_what_is_no_lesson_or_too_large_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"a lesson must|a line must"):
        parse_lesson(source)


def test_the_lesson_that_ships_is_the_same_in_both_languages_but_for_its_words() -> None:
    lesson = shipped_lessons()["guidance"]
    english, german = (lesson[language].steps for language in ("en", "de"))
    assert len(english) == len(german)
    for ours, theirs in zip(english, german, strict=True):
        assert (ours.address, ours.then_address) == (theirs.address, theirs.then_address)
        assert (ours.question is None) == (theirs.question is None)
        if ours.question and theirs.question:
            assert ours.question.kind == theirs.question.kind
            assert [each.mark for each in ours.question.options] == [each.mark for each in theirs.question.options]
        assert {each.figure for each in ours.reveal} == {each.figure for each in theirs.reveal}
    assert {step.question.kind for step in english if step.question} == set(KINDS)


def test_a_file_that_is_no_lesson_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "my.md"
    path.write_text("# T\n\n## S\n<b>\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"my\.md, line 4: HTML is not taken"):
        read_lessons([path])
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="lesson must be UTF-8"):
        read_lessons([path])
    with pytest.raises(ValueError, match=r"lesson must be a file NAME\.md"):
        read_lessons([tmp_path / "my.txt"])
    with pytest.raises(ValueError, match="lesson must be a file that can be read"):
        read_lessons([tmp_path / "none.md"])
    path.write_text(WHOLE, encoding="utf-8")
    assert set(read_lessons([path, *SHIPPED.glob("*.md")])) == {"my", "guidance"}
