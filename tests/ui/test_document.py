"""The document around the page: it begins with the script that loads it again, and browsers keep Gradio's files."""

import asyncio
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from cfg_core.serving.engine import Engine
from cfg_core.ui.document import WholeDocument
from cfg_core.ui.languages import words_script
from cfg_core.ui.scripts import FOREVER, inline
from tests.conftest import served


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    with served(engine) as (address, _):
        yield address


def test_the_document_begins_with_the_script_that_loads_it_again(address: str) -> None:
    with urllib.request.urlopen(address) as reply:
        document = reply.read().decode()
    assert document.count(inline("document")) == 1
    assert document.index("<script") == document.index("<head>") + len("<head>")
    assert document.rstrip().endswith("</html>")


def test_browsers_keep_gradios_files_and_nothing_that_changes(address: str) -> None:
    with urllib.request.urlopen(address) as reply:
        assert reply.headers["cache-control"] is None
        [file] = re.findall(r'src="\./(assets/index-[^"]+\.js)"', reply.read().decode())
    with urllib.request.urlopen(address + file) as reply:
        assert reply.headers["cache-control"] == FOREVER
    with pytest.raises(urllib.error.HTTPError) as missing:
        urllib.request.urlopen(address + "assets/index-0.js")
    assert missing.value.headers["cache-control"] is None


@pytest.mark.parametrize(
    ("kind", "body", "script"),
    [
        ("text/html; charset=utf-8", b"<gradio-app></gradio-app>", True),
        ("text/html", b"another document", False),
        ("application/json", b"<gradio-app>", False),
    ],
)
def test_a_document_in_several_parts_stays_whole_and_all_else_is_passed_on(
    kind: str, body: bytes, script: bool
) -> None:
    parts, sent = [b"<html><he", b"ad></head>", body + b"</html>"], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(b"".join(parts))).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": part is not parts[-1]})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "path": "/", "query_string": b"lang=de", "headers": []}
    asyncio.run(WholeDocument(app)(scope, receive, send))
    whole = b"".join(message.get("body", b"") for message in sent)
    assert int(dict(sent[0]["headers"])[b"content-length"]) == len(whole)
    inserted = f"<script>{inline('document')}</script>{words_script('de')}".encode() if script else b""
    assert whole == b"<html><head>" + inserted + b"</head>" + body + b"</html>"
