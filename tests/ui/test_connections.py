"""Connections that say nothing, and an address that cannot be listened at."""

import http.client
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest

from cfg_core.serving.engine import Engine
from cfg_core.ui import connections
from cfg_core.ui.connections import BoundedConnection, check_address
from tests.conftest import served

HEAD = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def place(tiny_engine: Engine) -> Iterator[tuple[str, int]]:
    with served(tiny_engine) as (address, _):
        parts = urlsplit(address)
        yield parts.hostname or "", parts.port or 0


def answers(place: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*place, timeout=60)
    connection.request("GET", "/robots.txt")
    return connection.getresponse().status == 200


def closed(connection: socket.socket) -> bool:
    """Whether the server closes it; waits for that."""
    connection.settimeout(60)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET", HEAD, HEAD + b"\r\n", HEAD + b"\r\n" + HEAD],
    ids=["nothing", "a word", "half a header", "a request", "a request and half of the next"],
)
def test_a_silent_connection_is_closed(place: tuple[str, int], sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.2)
    with socket.create_connection(place) as connection:
        connection.sendall(sent)
        connection.settimeout(60)
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert answers(place)


def test_a_reply_that_is_not_read_closes_its_connection(tiny_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.2)
    with served(tiny_engine) as (address, page), socket.socket() as connection:
        parts = urlsplit(address)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((parts.hostname, parts.port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 400)  # more than the buffers of a connection hold
        deadline = time.monotonic() + 60
        while not (state := page.server.server_state).total_requests or state.connections:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert state.total_requests < 400


@pytest.mark.parametrize(
    "sent", [b"", HEAD, b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"]
)
def test_the_connection_that_has_waited_longest_makes_room(
    place: tuple[str, int], sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedConnection, "most", 20)
    with ExitStack() as stack:
        waiting = [stack.enter_context(socket.create_connection(place)) for _ in range(60)]
        for connection in waiting:
            with suppress(OSError):  # it has made room already
                connection.sendall(sent)
        assert answers(place)
        assert sum(closed(connection) for connection in waiting[:40]) == 40


@pytest.mark.parametrize(
    ("soft", "hard", "most"), [(256, 256, 160), (256, 4096, 1024), (100, 100, 16), (4096, 4096, 1024)]
)
def test_there_are_fewer_connections_than_open_files(
    soft: int, hard: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    assert connections.most_connections() == most
    assert raised == ([] if soft == 4096 else [(min(hard, 1024 + 96), hard)])


def test_an_address_that_cannot_be_is_refused_in_one_sentence() -> None:
    check_address(None, None)
    check_address("127.0.0.1", None)
    with pytest.raises(ValueError, match=r"port must be a whole number from 1 to 65535, got 0"):
        check_address(None, 0)
    for host in ("nowhere.invalid", "192.0.2.1", "x" * 300, "a b"):
        with pytest.raises(ValueError, match=rf"host must be an address or name of this machine, got '{host[:20]}"):
            check_address(host, 7860)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"port must be one that is free to use, got {port}"):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", port)
