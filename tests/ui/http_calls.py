"""Calling the page's functions over HTTP."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Call = Callable[[str, Any], tuple[int, Any]]

NESTED: Any = 0
for _ in range(20):
    NESTED = [NESTED]


def send(url: str, body: str, headers: Mapping[str, str] = MappingProxyType({})) -> tuple[int, Any]:
    """POST a body of JSON; returns the HTTP status and the reply, which is text where it is an error."""
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def page_call(address: str, page: Any) -> Call:
    """The functions of Explore, of the page that is served at an address: (function, its argument) → as ``send``."""
    component = next(i for i, block in page.blocks.items() if getattr(block, "elem_id", None) == "explore")

    def post(function: str, data: Any) -> tuple[int, Any]:
        body = {"session_hash": "s", "component_id": component, "fn_name": function, "data": data}
        return send(f"{address}gradio_api/component_server", json.dumps(body))

    return post


def poll_until_done(call: Call, token: str, request_fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The frames of a request once all are done; between two looks at them, a poll waits for newer ones."""
    seen: dict[str, int] = {}
    while True:
        status, reply = call("poll", {"token": token, "request": request_fields, "seen": {}})
        assert status == 200
        assert reply["ok"], reply
        if all(frame["done"] for frame in reply["frames"]):
            return reply["frames"]
        seen = {frame["serial"]: frame["evaluations"] for frame in reply["frames"]}
        call("poll", {"token": token, "request": request_fields, "seen": seen})
