"""The routes that the page and the documented API use. Gradio has others, uploads among them; those are refused."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from cfg_core.ui.refusal import Refused

STREAM, CANCEL = "/gradio_api/queue/data", "/gradio_api/cancel"
CALL = "/gradio_api/call/{name}"
REPLY = f"{CALL}/{{event_id}}"

ALLOWED = {
    # what a browser loads, and the page calls
    "/": ("GET",),
    "/assets/{path:path}": ("GET",),
    "/static/{path:path}": ("GET",),
    "/theme.css": ("GET",),
    "/favicon.ico": ("GET",),
    "/manifest.json": ("GET",),
    "/pwa_icon": ("GET",),
    "/pwa_icon/{size}": ("GET",),
    "/robots.txt": ("GET",),
    "/scripts/{version}/{name:path}": ("GET",),
    "/room/{call}": ("POST",),
    "/gradio_api/component_server": ("POST",),
    "/gradio_api/component_server/": ("POST",),
    # what the page, gradio_client and plain HTTP call the endpoints by
    "/config": ("GET",),
    "/gradio_api/info": ("GET",),
    "/gradio_api/info/": ("GET",),
    "/gradio_api/queue/join": ("POST",),
    STREAM: ("GET",),
    CANCEL: ("POST",),
    CALL: ("POST",),
    "/gradio_api/call/v2/{name}": ("POST",),
    REPLY: ("GET",),
    # what Gradio asks itself at the start, and what --mcp adds
    "/gradio_api/startup-events": ("GET",),
    "/gradio_api/mcp": ("GET", "POST", "DELETE"),
    "/gradio_api/mcp/{path:path}": ("GET", "POST", "DELETE"),
}
"""Path, as Starlette writes them → the methods that it takes. GET includes HEAD."""


async def _never_called() -> Response:
    raise NotImplementedError


_ROUTES = [Route(path, _never_called, methods=methods) for path, methods in ALLOWED.items()]


def allowed_route(scope: Scope) -> tuple[str, dict[str, Any]]:
    """The path in ALLOWED that a request is for, and its parameters. Raises Refused."""
    other_method = False
    for route in _ROUTES:
        match, found = route.matches(scope)
        if match == Match.FULL:
            return route.path, found["path_params"]
        other_method |= match == Match.PARTIAL
    if other_method:
        raise Refused(405, f"this address does not take {scope['method']}")
    raise Refused(404, "there is nothing at this address")
