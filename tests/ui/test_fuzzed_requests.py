"""Any request to any route: an answer or one sentence, never an error of the server."""

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from gradio_client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfg_core.ui.allowed_routes import ALLOWED

pytestmark = pytest.mark.usefixtures("no_traceback")

WORDS = st.sampled_from(["grid", "stats", "models", "", "..", "s", "poll", "draw", "\ud800", "0", "%00", "x" * 100])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.text(max_size=8), st.sampled_from([10**400, -1])
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), v, max_size=4)
)
FIELDS = ("data", "fn_index", "session_hash", "component_id", "fn_name", "event_data", "event_id", "batched", "label")
PAGE = st.fixed_dictionaries(
    {"component_id": st.integers(-1, 9), "fn_name": WORDS, "data": VALUES, "session_hash": WORDS},
)
CALL = st.fixed_dictionaries(
    {"data": st.lists(VALUES, max_size=10), "fn_index": st.integers(-1, 5)},
    optional={"session_hash": WORDS, "event_data": VALUES, "trigger_id": st.integers(), "event_id": WORDS},
)
BODIES = PAGE | CALL | st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6) | VALUES
QUERIES = st.dictionaries(st.sampled_from(["session_hash", "deep_link", "view", "class", "all_endpoints"]), WORDS)
KINDS = st.sampled_from(["", "application/json", "multipart/form-data", "ÿ"])
POSTED = [path for path, methods in ALLOWED.items() if "POST" in methods]
OTHERS = [(method, path) for path in ALLOWED for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")]


def filled(path: str, words: list[str]) -> str:
    """A path of ALLOWED with words in place of its parameters."""
    parts = [f"{{{name}{kind}}}" for name in ("path", "name", "event_id", "version", "size") for kind in ("", ":path")]
    for part, word in zip(parts, words * len(parts), strict=False):
        path = path.replace(part, word)
    return quote(path, errors="surrogatepass")


def answered(client: Client, method: str, path: str, body: bytes | None, kind: str) -> None:
    """Send a request; whatever it is, there is an answer, and if it is refused a sentence."""
    connection = http.client.HTTPConnection(urlsplit(client.src).netloc, timeout=60)
    connection.request(method, path, body, {"Content-Type": kind})
    reply = connection.getresponse()
    content = "" if reply.headers.get_content_type() == "text/event-stream" else reply.read().decode("utf-8", "replace")
    connection.close()
    assert reply.status < 500 or (reply.status == 503 and "please try again later" in content), content
    assert "Traceback" not in content
    if reply.status >= 400 and method != "HEAD" and reply.headers.get_content_type() == "application/json":
        explained = json.loads(content)
        assert isinstance(explained.get("error", explained.get("detail")), str), explained


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(POSTED), st.lists(WORDS, min_size=1, max_size=3), BODIES)
def test_any_json_is_answered_without_an_error_of_the_server(
    client: Client, path: str, words: list[str], body: Any
) -> None:
    answered(client, "POST", filled(path, words), json.dumps(body).encode(), "application/json")


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(OTHERS), st.lists(WORDS, min_size=1, max_size=3), QUERIES)
def test_any_address_is_answered_without_an_error_of_the_server(
    client: Client, route: tuple[str, str], words: list[str], query: dict[str, str]
) -> None:
    method, path = route
    pairs = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in query.items())
    answered(client, method, f"{filled(path, words)}?{pairs}", None, "text/plain")


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(POSTED),
    st.binary(max_size=40),
    st.sampled_from(["", "application/json", "multipart/form-data", "ÿ"]),
)
def test_any_bytes_are_answered_without_an_error_of_the_server(
    client: Client, path: str, body: bytes, kind: str
) -> None:
    answered(client, "POST", filled(path, ["grid"]), body, kind)
