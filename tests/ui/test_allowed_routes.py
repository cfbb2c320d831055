"""Every route that the running app has is either used, and allowed, or known here to be refused."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from cfg_core.serving.engine import Engine
from cfg_core.ui.allowed_routes import ALLOWED, allowed_route
from cfg_core.ui.refusal import Refused
from tests.conftest import served

REFUSED = """
POST /gradio_api/api/{api_name}
GET /gradio_api/app_id
GET /gradio_api/call/v2/{api_name}/{event_id}
GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
GET /gradio_api/deep_link
GET /gradio_api/dev/reload
GET /gradio_api/file/{path:path}
GET,HEAD /gradio_api/file={path_or_url:path}
GET /gradio_api/heartbeat/{session_hash}
GET /gradio_api/login_check
GET /gradio_api/openapi.json
POST /gradio_api/process_recording
GET,HEAD /gradio_api/proxy={url_path:path}
GET /gradio_api/queue/status
POST /gradio_api/reset
POST /gradio_api/run/{api_name}
GET /gradio_api/runs
POST /gradio_api/stream/{event_id}
POST /gradio_api/stream/{event_id}/close
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
GET /gradio_api/theme.css
GET /gradio_api/token
POST /gradio_api/undo-vibe-edit
POST /gradio_api/upload
GET /gradio_api/upload_progress
GET /gradio_api/user
GET,POST /gradio_api/vibe-code
POST /gradio_api/vibe-edit
POST /gradio_api/vibe-starter-queries
POST /login
GET /logout
GET /monitoring
GET /monitoring/summary
GET /monitoring/{key}
GET,HEAD /openapi.json
GET /svelte/{path:path}
""".strip().splitlines()
"""Routes of Gradio that neither the page nor the documented API uses."""


def exposed(routes: Iterable[Any], prefix: str = "") -> Iterator[str]:
    """Method and path of all routes, those of mounted apps and included routers too."""
    for route in routes:
        if included := getattr(route, "original_router", None):  # FastAPI since 0.13x; earlier it copies them
            yield from exposed(included.routes, prefix)
        elif inner := getattr(route, "routes", None):
            yield from exposed(inner, prefix + route.path)
        else:
            for method in getattr(route, "methods", None) or ["?"]:
                yield f"{method} {(prefix + route.path).rstrip('/') or '/'}"


def request(route: str) -> dict[str, Any]:
    method, _, path = route.partition(" ")
    return {"type": "http", "method": method, "path": path.replace("{", "").replace("}", "").replace(":path", "")}


def is_allowed(route: str) -> bool:
    try:
        allowed_route(request(route))
    except Refused:
        return False
    return True


def test_every_route_of_the_running_app_is_allowed_or_known_to_be_refused(tiny_engine: Engine) -> None:
    with served(tiny_engine) as (_, page):
        routes = set(exposed(page.app.routes))
    known = {f"{method} {path}" for methods, path in map(str.split, REFUSED) for method in methods.split(",")}
    assert not {route for route in routes if not is_allowed(route)} - known


@pytest.mark.parametrize(
    ("route", "status"),
    [
        ("POST /", 405),
        ("DELETE /gradio_api/queue/join", 405),
        ("GET /gradio_api/component_server", 405),
        ("POST /gradio_api/upload", 404),
        ("POST /gradio_api/run/grid", 404),
        ("POST /gradio_api/api/grid", 404),
        ("GET /gradio_api/file=app.py", 404),
        ("GET /nothing", 404),
        ("GET //", 404),
        ("GET /gradio_api/mcpx", 404),
        ("GET /login", 404),
    ],
)
def test_anything_else_is_refused_with_one_sentence(route: str, status: int) -> None:
    with pytest.raises(Refused, match=r"there is nothing at this address|this address does not take") as refused:
        allowed_route(request(route))
    assert refused.value.status == status


def test_a_path_behind_a_proxy_is_the_same_route() -> None:
    behind = {**request("POST /gradio_api/queue/join"), "root_path": "/lab", "path": "/lab/gradio_api/queue/join"}
    assert allowed_route(behind)[0] == "/gradio_api/queue/join"
    assert "/gradio_api/queue/join" in ALLOWED
