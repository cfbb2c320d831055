"""A teacher's page and students' of one room, over HTTP."""

import json
import secrets
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.ui.http_calls import send

PAGE = "http://lab.example/"


class RoomClient:
    """Calls the room's routes of an address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.secret = secrets.token_urlsafe(16)

    def call(self, name: str, **fields: Any) -> tuple[int, Any]:
        """HTTP status and the reply."""
        status, reply = send(f"{self.address}room/{name}", json.dumps(fields))
        return status, json.loads(reply) if isinstance(reply, str) else reply

    def open(self, **fields: Any) -> dict[str, Any]:
        status, reply = self.call("open", **{"secret": self.secret, "page": PAGE, **fields})
        assert status == 200, reply
        return reply

    def lead(self, **fields: Any) -> None:
        status, reply = self.call("lead", secret=self.secret, **fields)
        assert status == 200, reply

    @contextmanager
    def stream(self, name: str, **fields: Any) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a stream."""
        request = urllib.request.Request(
            f"{self.address}room/{name}", json.dumps(fields).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            yield (json.loads(line[6:]) for line in reply if line.startswith(b"data: "))


def until(events: Iterator[dict[str, Any]], field: str, value: Any = None) -> dict[str, Any]:
    """The first event that has a field, of this value where one is given."""
    return next(event for event in events if field in event and value in (None, event[field]))
