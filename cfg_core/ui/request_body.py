"""The body of a request: read whole before anything else sees it, within bounds of size, time and nesting."""

import json
import re
from typing import Any

import anyio
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from cfg_core.checks import shown
from cfg_core.ui.refusal import Refused

LARGEST = 2**15
"""Bytes; the page's own requests have some hundreds."""

DISCARDED = 2**22
"""Bytes of a larger request that are still read: many senders hear an answer only when they have sent all."""

SECONDS = 10.0
"""From the first byte to the last."""

DEEPEST = 32
"""Lists and objects inside each other."""

LONGEST_NAME = 64
"""Characters of the name of a session, which Gradio keeps."""

TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


class HungUp(Exception):
    """The sender did not wait for an answer."""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """All of a request's body. Raises Refused, and HungUp."""
    headers = Headers(scope=scope)
    declared = headers.get("content-length", "0")
    body, size, more = bytearray(), 0, int(declared) <= DISCARDED if declared.isdecimal() else True
    try:
        with anyio.fail_after(SECONDS):
            while more and size <= DISCARDED:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HungUp
                part = message.get("body", b"")
                size += len(part)
                if size <= LARGEST:
                    body += part
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refused(408, f"a request must arrive within {SECONDS:g} seconds") from None
    if more or size > LARGEST:
        raise Refused(413, f"a request must have at most {LARGEST} bytes, got {'more' if more else size}")
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() not in ("", "application/json"):
        raise Refused(415, f"the content type must be application/json, got {shown(headers['content-type'])}")
    return bytes(body)


def parse_body(body: bytes) -> Any:
    """The JSON in a body, None for an empty one. Raises Refused."""
    if not body:
        return None
    try:
        text = body.decode()
        if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
            raise Refused(400, f"a request must have at most {DEEPEST} lists and objects inside each other, got more")
        parsed = json.loads(text)
    except ValueError as error:
        raise Refused(400, f"a request must be JSON in UTF-8 ({error})") from None
    session = parsed.get("session_hash") if isinstance(parsed, dict) else None
    if isinstance(session, str) and len(session) > LONGEST_NAME:
        raise Refused(400, f"session_hash must have at most {LONGEST_NAME} characters, got {len(session)}")
    return parsed


def _depth(text: str) -> int:
    """How many lists and objects lie inside each other at most."""
    depth = deepest = 0
    for token in TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest
