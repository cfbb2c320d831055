"""The web server's connections: how many there are, how long one may be silent, and the address it listens at."""

import asyncio
import errno
import logging
import socket
import sys
from collections import Counter
from typing import Any

import uvicorn

from cfg_core.checks import number

log = logging.getLogger(__name__)

MOST = 1024
"""Connections at once."""

RESERVED_FILES = 96
"""Open files that are left for everything else; where the system allows fewer than both, fewer connections are."""

REQUEST_SECONDS = 10.0
"""Until the header of a request has arrived, from the opening of its connection or its first byte on."""

UNREAD_SECONDS = 30.0
"""Until the peer reads on of a reply of which more waits than the buffers of its connection hold."""


class BoundedConnection(asyncio.Protocol):
    """What uvicorn's HTTP protocol, a second base class, lacks: it closes a connection whose peer sends no request or
    does not read the reply for too long. Where there are too many, one that waits for its peer makes room: of the peer
    that has most, the one that has waited longest."""

    connections: set[Any]
    transport: asyncio.Transport
    client: tuple[str, int] | None
    cycle: Any
    loop: asyncio.AbstractEventLoop
    most = MOST
    _request: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request has begun, or its reply is complete."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def waits(self) -> bool:
        """Whether the peer is to send a request or the rest of one, or to read."""
        return self.idle or self.cycle.more_body or self._unread is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make room for it, or close it where all others are at work."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self.peer = self.client[0] if self.client else ""
        self._request = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)
        there = [each for each in self.connections if not each.transport.is_closing()]
        if len(there) > self.most:
            log.warning("connections full most=%d", self.most)
            of_peer = Counter(each.peer for each in there)
            waiting = [each for each in there if each.waits]
            min(waiting, key=lambda each: (-of_peer[each.peer], each.since)).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of the header, if it is not there yet."""
        super().data_received(data)
        if self.idle:
            if self._request is None:
                self._request = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)
        elif self._request:
            self.since = self.loop.time()
            self._request = _ended(self._request)

    def pause_writing(self) -> None:
        """The peer does not read as fast as it is sent to."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._unread = _ended(self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        """No timer is left."""
        self._request, self._unread = _ended(self._request), _ended(self._unread)
        super().connection_lost(exc)


def _ended(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """No timer, after this one was ended."""
    if timer:
        timer.cancel()
    return None


def bound_connections(server: uvicorn.Server) -> None:
    """Bound the connections that a running server accepts from now on.

    Gradio makes the server and passes none of uvicorn's settings on, but shows it once it runs; uvicorn reads these
    settings for every connection anew. To run uvicorn ourselves would lose Gradio's share links, and its own choice of
    ports and behaviour on Spaces.
    """
    BoundedConnection.most = most_connections()
    base = server.config.http_protocol_class
    server.config.http_protocol_class = type("BoundedProtocol", (BoundedConnection, base), {})
    server.config.ws_protocol_class = None  # nothing here speaks WebSocket


def most_connections() -> int:
    """MOST, or as many as there are open files for. Their number is raised where the system lets it."""
    if sys.platform == "win32":
        return MOST
    import resource

    needed = MOST + RESERVED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return MOST
    files = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - RESERVED_FILES, 16)


def check_address(host: str | None, port: int | None) -> None:
    """Raises ValueError, in one sentence, for a host that is none of this machine, and a port that cannot be used.

    None: any that there is.
    """
    if port is not None:
        number("port", port, 1, 65535, whole=True)
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            (host or "127.0.0.1").removeprefix("[").removesuffix("]"), port or 0, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise ValueError(f"host must be an address or name of this machine, got {host!r} ({error})") from error
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform != "win32":  # there it would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if port is None or error.errno == errno.EADDRNOTAVAIL:
                raise ValueError(f"host must be an address or name of this machine, got {host!r}") from error
            raise ValueError(f"port must be one that is free to use, got {port} ({error.strerror})") from error
