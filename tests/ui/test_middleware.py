"""Between strangers and Gradio: look-ups of Gradio's own become 404, errors of ours stay 500 and are logged."""

import json
import logging
import queue
import urllib.error
import urllib.request
from collections.abc import Iterator
from logging.handlers import QueueHandler
from typing import Any

import pytest

from cfg_core.serving.engine import Engine
from cfg_core.ui.scripts import SCRIPTS
from tests.conftest import served


@pytest.fixture
def page(tiny_engine: Engine) -> Iterator[tuple[str, int]]:
    """The address of a page, and the number of its Explore component."""
    with served(tiny_engine) as (address, page):
        yield address, next(i for i, block in page.blocks.items() if getattr(block, "elem_id", None) == "explore")


def get(url: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as reply:
            return reply.status, dict(reply.headers), reply.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def call(address: str, component: int, function: str) -> tuple[int, str]:
    body = json.dumps({"session_hash": "s", "component_id": component, "fn_name": function, "data": {"token": "t"}})
    ask = urllib.request.Request(f"{address}gradio_api/component_server", body.encode())
    ask.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(ask, timeout=60) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("function", ["trajectory", "pause_session"])
@pytest.mark.parametrize("kind", [KeyError, IndexError, LookupError])
def test_a_lookup_error_of_ours_is_a_logged_500(
    page: tuple[str, int], tiny_engine: Engine, function: str, kind: type[LookupError], monkeypatch: Any
) -> None:
    def broken(*_: Any) -> None:
        raise kind("a bug of ours")

    for name in ("trajectories", "set_demand"):
        monkeypatch.setattr(tiny_engine, name, broken)
    logged = queue.Queue[logging.LogRecord]()
    watch, server = QueueHandler(logged), logging.getLogger("uvicorn.error")
    server.addHandler(watch)
    try:
        assert call(*page, function)[0] == 500
        assert "a bug of ours" in logged.get(timeout=20).getMessage()  # with the traceback, once the answer is sent
    finally:
        server.removeHandler(watch)


def test_what_gradio_does_not_find_is_a_404(page: tuple[str, int]) -> None:
    address, component = page
    assert call(address, 9999, "poll") == (404, '{"error":"there is nothing of that name or number here"}')
    assert call(address, component, "nothing")[0] == 404


def test_scripts_are_served_and_nothing_else_of_their_folder(page: tuple[str, int]) -> None:
    address, _ = page
    status, headers, content = get(address + SCRIPTS.address("explore/main.js"))
    assert (status, b"export async function mount" in content) == (200, True)
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    status, headers, _ = get(f"{address}scripts/000000000000/explore/main.js")
    assert (status, headers["cache-control"]) == (200, "no-store"), "a page that outlives a restart"
    for name in (
        "paper_tables.json",
        "explore/explore.html",
        "../app.py",
        "%2e%2e/app.py",
        "explore/",
        "",
        "nothing.js",
    ):
        assert get(f"{address}scripts/{SCRIPTS.version}/{name}")[0] == 404, name
