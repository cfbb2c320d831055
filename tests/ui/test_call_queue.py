"""Calls that nobody listens for, whose callers hang up, or that are too many: none of them costs the others much."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from gradio_client import Client

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.serving.engine import Engine
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.ui import call_queue
from tests.conftest import served
from tests.ui.http_calls import send

pytestmark = pytest.mark.usefixtures("no_traceback")


def endless(seed: int) -> list[Any]:
    """The arguments of a grid that takes much longer than a test."""
    return ["0", "3", 64, seed, "ancestral", 1024, "cfg", None, ""]


SHORT = ["0", "3", 1, 7, "ddim", 1, "cfg", None, ""]


class Lab:
    """A running page, called as strangers do."""

    def __init__(self, address: str, page: Any, engine: Engine) -> None:
        self.address, self.queue, self.engine = address, page._queue, engine
        self.functions = {fn.api_name: index for index, fn in page.fns.items()}

    def join(self, session: str, function: str, *data: Any, client: str = "") -> tuple[int, Any]:
        """Call without listening. client: the address of the caller, as a proxy on this machine tells it."""
        fields = {"data": list(data), "fn_index": self.functions[function], "session_hash": session}
        headers = {"X-Forwarded-For": client} if client else {}
        return send(f"{self.address}gradio_api/queue/join", json.dumps(fields), headers)

    def get(self, path: str) -> http.client.HTTPResponse:
        """The begun reply; to close it closes its connection."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        connection.request("GET", f"/gradio_api/{path}")
        return connection.getresponse()

    def listen(self, session: str) -> http.client.HTTPResponse:
        return self.get(f"queue/data?session_hash={session}")

    def replies(self, session: str) -> list[dict[str, Any]]:
        """All that is said to a session until its last call is complete."""
        lines = self.listen(session).read().decode().split("\n\n")
        return [json.loads(line.removeprefix("data: ")) for line in lines if line]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def lab(tiny_checkpoint: Checkpoint) -> Iterator[Lab]:
    engine = Engine(Model(tiny_checkpoint), Limits(work=2**23, api_work=2**23))
    with served(engine) as (address, page):
        yield Lab(address, page, engine)
    engine.close()


def test_calls_that_nobody_listens_for_are_bounded_not_served_and_dropped(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lab.engine.stats().evaluations
    statuses = [lab.join("unread", "grid", *SHORT)[0] for _ in range(50)]
    assert statuses == [200] * call_queue.OF_SESSION + [503] * (50 - call_queue.OF_SESSION)
    assert [lab.join(f"s{n}", "stats")[0] for n in range(50)].count(200) == call_queue.OF_ADDRESS
    assert lab.engine.stats().evaluations == before
    monkeypatch.setattr(call_queue, "LISTEN_SECONDS", 0.0)
    assert lab.join("another", "stats")[0] == 200
    until(lambda: not lab.queue.pending_event_ids_session)
    assert not lab.queue.pending_messages_per_session
    assert not lab.queue.event_ids_to_events
    assert lab.listen("unread").status == 404


def test_a_full_queue_refuses_calls_of_its_own_function_only(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_queue, "OF_FUNCTION", 3)
    assert [lab.join(f"s{n}", "grid", client=f"203.0.113.{n}")[0] for n in range(4)] == [200, 200, 200, 503]
    status, reply = lab.join("s9", "grid")
    assert status == 503
    assert json.loads(reply)["detail"] == "3 calls of all callers wait for their reply; please try again later."
    assert Client(lab.address, verbose=False).predict(api_name="/stats")["queued"] == 0


def test_a_caller_who_hangs_up_ends_what_is_drawn_and_what_waits(lab: Lab) -> None:
    for n in range(10):
        assert lab.join("gone", "grid", *endless(n))[0] == 200
    stream = lab.listen("gone")
    until(lambda: len(lab.engine.sessions) == call_queue.SERVED_OF_ADDRESS)
    assert lab.listen("gone").status == 404, "somebody listens already"
    stream.close()
    until(lambda: not lab.engine.sessions.tokens and not lab.queue.event_ids_to_events)
    assert not lab.queue.pending_messages_per_session
    assert lab.join("next", "grid", *SHORT)[0] == 200
    assert lab.replies("next")[-2]["success"]


def test_one_call_that_is_hung_up_by_plain_http_ends_too(lab: Lab) -> None:
    status, event = send(f"{lab.address}gradio_api/call/grid", json.dumps({"data": endless(0)}))
    assert status == 200
    stream = lab.get(f"call/grid/{event['event_id']}")
    until(lambda: len(lab.engine.sessions) == 1)
    stream.close()
    until(lambda: not lab.engine.sessions.tokens)


def test_a_job_of_the_client_can_be_cancelled(lab: Lab) -> None:
    client = Client(lab.address, verbose=False)
    job = client.submit(*endless(0), api_name="/grid")
    until(lambda: len(lab.engine.sessions) == 1)
    job.cancel()
    until(lambda: not lab.engine.sessions.tokens)
    assert client.predict(api_name="/models")
    cancel = {"fn_index": lab.functions["grid"], "session_hash": "s", "event_id": "unknown"}
    assert send(f"{lab.address}gradio_api/cancel", json.dumps(cancel))[0] == 404


def test_many_calls_of_one_address_leave_room_for_another(lab: Lab) -> None:
    for n in range(12):
        assert lab.join("many", "grid", *endless(n), client="203.0.113.1")[0] == 200
    stream = lab.listen("many")
    until(lambda: len(lab.engine.sessions) == call_queue.SERVED_OF_ADDRESS)
    assert lab.join("one", "grid", *SHORT, client="203.0.113.2")[0] == 200
    assert lab.replies("one")[-2]["success"]
    assert len(lab.engine.sessions) == call_queue.SERVED_OF_ADDRESS
    stream.close()


def test_a_call_may_ask_for_less_work_than_the_page(tiny_checkpoint: Checkpoint) -> None:
    engine = Engine(Model(tiny_checkpoint), Limits(api_work=500))
    with served(engine) as (address, page):
        lab = Lab(address, page, engine)
        assert lab.join("s", "grid", *endless(0))[0] == 200
        assert lab.replies("s")[-2]["output"]["error"] == (
            "pictures × evaluations of a call must be a whole number from 1 to 500, got 65536"
        )
    engine.close()
