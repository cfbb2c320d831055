"""Bodies of requests: what is refused before anything looks into them."""

import json

import pytest

from cfg_core.ui.refusal import Refused
from cfg_core.ui.request_body import DEEPEST, LARGEST, LONGEST_NAME, parse_body


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        '{"a": [1, "x"]}',
        nested(DEEPEST),
        f'["{"[" * 1000}"]',
        '["\\"[[[[", {}]' + " " * 99,
        "[" + "{}," * 999 + "0]",
    ],
    ids=lambda body: body[:20],
)
def test_what_is_not_nested_too_deeply_is_read(body: str) -> None:
    assert parse_body(body.encode()) == (json.loads(body) if body else None)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (nested(DEEPEST + 1).encode(), f"at most {DEEPEST} lists and objects inside each other"),
        (b"[" * LARGEST, f"at most {DEEPEST} lists and objects inside each other"),
        (b'{"a":' * 5000, f"at most {DEEPEST} lists and objects inside each other"),
        (b'"' + b"\\" * LARGEST, "must be JSON in UTF-8"),
        (b"[" * 20 + b'"', "must be JSON in UTF-8"),
        (b"\xff\xfe[\x00]\x00", "must be JSON in UTF-8"),
        (b"1" * 5000, "must be JSON in UTF-8"),
        (b"data=1", "must be JSON in UTF-8"),
        (json.dumps({"session_hash": "x" * (LONGEST_NAME + 1)}).encode(), f"at most {LONGEST_NAME} characters, got 65"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_anything_else_is_refused_with_one_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        parse_body(body)
    assert refused.value.status == 400
    assert len(str(refused.value)) < 250
