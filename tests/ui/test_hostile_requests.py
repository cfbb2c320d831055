"""Arbitrary, malformed, large and many requests at once: each gets an answer, and the service goes on."""

import http.client
import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gradio_client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfg_core.serving.engine import Engine
from cfg_core.ui import middleware, request_body
from tests.ui.http_calls import Call, poll_until_done, send

pytestmark = pytest.mark.usefixtures("no_traceback")

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.just("x" * 1_000),
    st.sampled_from(["nan", "all", "0,1,2", "-1", "1e99", 10**400]),
)  # fmt: skip


VALUES = st.recursive(
    SCALARS, lambda v: st.one_of(st.lists(v, max_size=4), st.dictionaries(st.text(max_size=8), v, max_size=4))
)

FIELDS = st.sampled_from(["class", "w", "seed", "samples", "sampler", "steps", "rule", "model", "query", "token"])

REQUESTS = st.dictionaries(FIELDS, VALUES, max_size=4)


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["open_session", "describe_model", "poll", "rail", "trajectory", "pause_session", "close_session"]),
    VALUES
    | st.fixed_dictionaries({"token": VALUES, "request": REQUESTS, "seen": VALUES})
    | st.fixed_dictionaries({"query": REQUESTS}),
)
def test_any_payload_gets_an_answer(call: Call, function: str, payload: Any) -> None:
    status, reply = call(function, payload)
    assert status == 200
    assert isinstance(reply, dict)
    assert "Traceback" not in str(reply.get("error", ""))
    if function == "open_session" and reply["ok"]:
        assert call("close_session", {"token": reply["token"]}) == (200, {"ok": True})


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(REQUESTS)
def test_any_request_gets_frames_or_a_sentence(call: Call, engine: Engine, request_fields: dict[str, Any]) -> None:
    token = call("open_session", {})[1]["token"]
    status, reply = call("poll", {"token": token, "request": request_fields, "seen": {}})
    assert status == 200
    if reply["ok"]:
        assert len(reply["frames"]) == 2
    else:
        assert reply["error"].count("\n") == 0
        assert len(reply["error"]) < 400
    call("close_session", {"token": token})


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(values=st.lists(VALUES, max_size=9))
def test_any_values_from_programs_get_a_grid_or_a_sentence(client: Client, values: list[Any]) -> None:
    address = f"{client.src}gradio_api/call/grid"
    status, event = send(address, json.dumps({"data": values}))
    assert status == 200
    with urllib.request.urlopen(f"{address}/{event['event_id']}", timeout=60) as stream:
        kind, data = stream.read().decode().strip().splitlines()[-2:]
    assert kind == "event: complete" or json.loads(data.removeprefix("data: "))["error"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("component_server", {"component_id": 999, "fn_name": "poll", "session_hash": "s", "data": 1}, 404),
        ("component_server", {"component_id": "x", "fn_name": "poll", "session_hash": "s", "data": 1}, 400),
        ("component_server", [], 400),
        ("queue/join", {"data": [], "fn_index": 99, "session_hash": "s"}, 404),
        ("queue/join", {"data": [], "fn_index": "x", "session_hash": ["s"]}, 422),
        ("call/nothing", {"data": []}, 404),
        ("call/grid", {"data": "x"}, 422),
        ("call/grid", {}, 422),
    ],
)
def test_unknown_addresses_and_malformed_calls_are_refused(client: Client, path: str, body: Any, expected: int) -> None:
    status, reply = send(f"{client.src}gradio_api/{path}", json.dumps(body))
    assert status == expected
    if status == 404:
        assert json.loads(reply) == {"error": "there is nothing of that name or number here"}


@pytest.mark.parametrize(
    "data", [None, 5, [1], {"request": 5}, {"request": [1]}, {"request": {"w": "x"}, "token": [1]}]
)
def test_a_remote_gpu_is_not_given_a_malformed_request(client: Client, data: Any) -> None:
    payload = {"data": [], "fn_index": 0, "session_hash": json.dumps(data), "event_data": data}
    assert send(f"{client.src}gradio_api/queue/join", json.dumps(payload))[0] == 200
    session = urllib.parse.quote(json.dumps(data))
    with urllib.request.urlopen(f"{client.src}gradio_api/queue/data?session_hash={session}", timeout=60) as stream:
        events = stream.read().decode()
    assert '"success":false' in events
    assert re.search(r'"error":"(model must be one that is drawn by a remote GPU|w must be a number)', events)


def test_large_requests_and_uploads_are_refused(client: Client) -> None:
    body = json.dumps({"data": ["x" * 1_000_000]}).encode()
    status, reply = send(f"{client.src}gradio_api/call/grid", body.decode())
    assert (status, json.loads(reply)) == (413, {"error": f"a request must have at most 32768 bytes, got {len(body)}"})
    address = urllib.parse.urlsplit(client.src)
    unannounced = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    unannounced.request("POST", "/gradio_api/call/grid", iter([body]), {"Content-Type": "application/json"})
    assert unannounced.getresponse().status == 413
    file = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'
    for path, expected in (("upload", 404), ("component_server", 415), ("process_recording", 404)):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(f"{client.src}gradio_api/{path}", file, headers), timeout=60)
        assert refused.value.code == expected


def test_a_request_that_does_not_arrive_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "SECONDS", 0.2)
    slow = http.client.HTTPConnection(urllib.parse.urlsplit(client.src).netloc, timeout=60)
    slow.putrequest("POST", "/gradio_api/queue/join")
    slow.putheader("Content-Length", "1000")
    slow.endheaders(b"{")
    reply = slow.getresponse()
    assert (reply.status, json.load(reply)) == (408, {"error": "a request must arrive within 0.2 seconds"})


def test_more_requests_at_once_than_an_address_may_have_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "OF_ADDRESS", 1)
    host = urllib.parse.urlsplit(client.src).netloc
    first, second = (http.client.HTTPConnection(host, timeout=60) for _ in range(2))
    first.putrequest("POST", "/gradio_api/component_server")
    first.putheader("Content-Length", "2")
    first.putheader("Expect", "100-continue")
    first.endheaders()
    assert first.sock.recv(12) == b"HTTP/1.1 100", "it is read"
    second.request("GET", "/robots.txt")
    assert second.getresponse().status == 429
    first.send(b"{}")
    first.sock.recv(1)
    statuses = set()
    while 200 not in statuses:  # the first is over some time after its last byte
        third = http.client.HTTPConnection(host, timeout=60)
        third.request("GET", "/robots.txt")
        statuses.add(third.getresponse().status)
    assert statuses <= {200, 429}


def test_after_a_thousand_calls_at_once_the_service_goes_on(
    call: Call, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = call("open_session", {})[1]["token"]
    poll_until_done(call, token, {"samples": 1, "steps": 1})
    monkeypatch.setattr(engine.sessions, "idle_timeout", math.inf)  # however long the calls take, no session expires
    payloads = [
        ("open_session", {"query": {"class": n}}) if n % 2 else ("poll", {"token": n, "request": {"w": n}})
        for n in range(1000)
    ]
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda payload: call(*payload), payloads))
    assert {status for status, _ in replies} == {200}
    assert len(engine.sessions) <= engine.sessions.per_address < 500, "those that never called made room"
    request_fields = {"samples": 2, "steps": 2, "seed": 77}
    assert all(frame["error"] is None for frame in poll_until_done(call, token, request_fields))
    for _, reply in replies[1::2]:
        if reply["ok"]:
            call("close_session", {"token": reply["token"]})
