"""What a text, a name and a JSON value may be, and messages that any terminal and page can show."""

import json
from typing import Any

import pytest

from cfg_core.checks import DEEPEST, json_value, line, one_line, parse_json, text


@pytest.mark.parametrize("value", ["", "T-shirt", "café", "手袋", "👩‍🔬", "<b>bold</b>", "[red]", "نمونه"])
def test_a_name_in_any_script_is_a_name(value: str) -> None:
    assert line("name", value) == value


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (7, "name must be a text, got 7"),
        ("x" * 101, "name must be at most 100 characters, got 101: 'xxx"),
        ("caf\udce9", r"name must be valid UTF-8, got 'caf\udce9'"),
        ("\x1b[31mred", r"name must have no control characters, got '\x1b[31mred'"),
        ("\u202egab", r"name must have no control characters, got '\u202egab'"),
        ("a\0b", r"name must have no control characters, got 'a\x00b'"),
        ("two\nlines", r"name must be one line without tabs, got 'two\nlines'"),
        ("two\u2028lines", r"name must have no control characters, got 'two\u2028lines'"),
    ],
)
def test_what_is_no_name_is_one_sentence_that_any_terminal_can_show(value: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^name must") as refused:
        line("name", value)
    assert str(refused.value).startswith(sentence)
    assert one_line(refused.value) == str(refused.value)


def test_a_text_may_have_lines_and_tabs_and_a_limit() -> None:
    assert text("note", "one\n\ttwo") == "one\n\ttwo"
    with pytest.raises(ValueError, match="note must be at most 10,000 characters, got 10,001"):
        text("note", "x" * 10_001)


def test_a_message_becomes_one_line_without_control_characters() -> None:
    assert one_line("one\r\n  two\x1b[2J caf\udce9 λ") == r"one two\x1b[2J caf\udce9 λ"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "config is not JSON: Expecting"),
        ("[" * 100_000, "config is nested too deeply"),
        ("", "config is not JSON"),
    ],
)
def test_what_is_no_json_is_one_sentence(content: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}"):
        parse_json("config", content)


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 0


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"note": "\ud800"}, "record.note must be valid UTF-8"),
        ({"\x1b": 1}, "a name in record must have no control characters"),
        ({"a": [{"b": float("nan")}]}, r"record\.a\.b must be a number from .*, got nan"),
        ({"a": 10**400}, r"record\.a must be a number from"),
        (nested(DEEPEST + 1), "record must not be nested that deeply"),
    ],
)
def test_json_that_a_page_cannot_be_sent_is_named(value: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        json_value("record", value)


def test_json_that_a_page_can_be_sent_is_returned() -> None:
    value = {"a": [1, 2.5, None, True, "λ\n"], "b": nested(DEEPEST - 1)}
    assert json_value("record", value) == json.loads(json.dumps(value))
