"""The API over plain HTTP: named values or the first few in their order, and a sentence for what cannot be answered."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cfg_core.serving.engine import Engine
from tests.conftest import served
from tests.ui.http_calls import send

pytestmark = pytest.mark.usefixtures("no_traceback")

Ask = Callable[[str, Any], tuple[str, Any]]


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    with served(engine) as (address, _):
        yield address


@pytest.fixture
def ask(address: str) -> Ask:
    """(path below call/, body) → the name of the last event, and its data."""

    def ask(path: str, body: Any) -> tuple[str, Any]:
        status, reply = send(f"{address}gradio_api/call/{path}", json.dumps(body))
        assert status == 200, reply
        name = path.rpartition("/")[2]
        with urllib.request.urlopen(f"{address}gradio_api/call/{name}/{reply['event_id']}", timeout=60) as events:
            *_, last = re.findall(r"event: (\w+)\ndata: (.*)\n", events.read().decode())
        return last[0], json.loads(last[1])

    return ask


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("grid", {"data": ["3", 2]}),
        ("grid", {"data": [3, "2", 16, 7, "dpmpp_2m", None, "cfg", None, "", "pixels", False]}),
        ("v2/grid", {"label": 3, "w": 2}),
        ("v2/grid", {"w": "2", "label": "3", "steps": 12}),
    ],
    ids=str,
)
def test_values_that_are_left_out_take_their_defaults(ask: Ask, path: str, body: Any) -> None:
    event, [reply] = ask(path, body)
    assert event == "complete"
    request = {name: reply["request"][name] for name in ("class", "w", "samples", "seed", "steps", "rule")}
    assert request == {"class": "3", "w": "2", "samples": "16", "seed": "7", "steps": "12", "rule": "cfg"}


@pytest.mark.parametrize("body", [{"data": []}, {}], ids=str)
def test_a_call_without_values_draws_the_default(ask: Ask, body: Any) -> None:
    event, [reply] = ask("grid" if "data" in body else "v2/grid", body)
    assert (event, reply["request"]["class"], reply["request"]["w"]) == ("complete", "0", "3")


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("grid", {"data": ["0"] * 12}, "grid must be called with at most 11 values, got 12"),
        ("grid", {"data": [[]]}, "classes must be a tuple of at least one number, got ()"),
        ("grid", {"data": ["3", None]}, "w must be a number from -1 to 8, got None"),
        ("models", {"data": [1]}, "models must be called with at most 0 values, got 1"),
        ("v2/grid", {"w": 9}, "w must be a number from -1 to 8, got 9"),
    ],
    ids=str,
)
def test_a_call_that_cannot_be_served_is_answered_by_a_sentence(ask: Ask, path: str, body: Any, sentence: str) -> None:
    event, reply = ask(path, body)
    assert (event, reply["error"]) == ("error", sentence)


def test_an_unknown_name_is_refused_with_a_sentence(address: str) -> None:
    status, reply = send(f"{address}gradio_api/call/v2/grid", '{"klass": 1}')
    why = "Parameter `klass` is not a valid key-word argument"
    assert (status, json.loads(reply)) == (400, {"error": f"this is no request that can be answered ({why})"})
    assert send(f"{address}gradio_api/call/v2/nothing", "{}")[0] == 404
