"""What the page's server functions answer to a stranger who speaks HTTP: frames, or a sentence, never a traceback."""

import base64
import http.client
import json
import logging
import re
import traceback
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from tests.conftest import served

Call = Callable[[str, Any], tuple[int, Any]]
DOCS = Path(__file__).parents[2] / "docs"
NESTED: Any = 0
for _ in range(300):
    NESTED = [NESTED]


@pytest.fixture(autouse=True)
def no_traceback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is asked, none is printed or logged."""
    found: list[str] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                found.append(record.getMessage())

    monkeypatch.setattr(traceback, "print_exc", lambda *_, **__: found.append(traceback.format_exc()))
    watch, loggers = Watch(), [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error")]
    for logger in loggers:
        logger.addHandler(watch)
    yield
    for logger in loggers:
        logger.removeHandler(watch)
    assert not found


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(Model(tiny_checkpoint))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def call(engine: Engine) -> Iterator[Call]:
    """(function, its argument or a whole body) → HTTP status and what came back."""
    with served(engine) as (address, page):
        component = next(i for i, block in page.blocks.items() if getattr(block, "elem_id", None) == "explore")

        def post(function: str, data: Any) -> tuple[int, Any]:
            body = {"session_hash": "s", "component_id": component, "fn_name": function, "data": data}
            return send(f"{address}gradio_api/component_server", json.dumps(body))

        yield post


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[Client]:
    with served(engine) as (address, _):
        yield Client(address, verbose=False)


def send(url: str, body: str) -> tuple[int, Any]:
    ask = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(ask, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def finished(call: Call, token: str, want: dict[str, Any]) -> list[dict[str, Any]]:
    seen: dict[str, int] = {}
    while True:
        status, reply = call("poll", {"token": token, "request": want, "seen": {}})
        assert status == 200
        assert reply["ok"], reply
        if all(frame["done"] for frame in reply["frames"]):
            return reply["frames"]
        seen = {frame["serial"]: frame["evaluations"] for frame in reply["frames"]}
        call("poll", {"token": token, "request": want, "seen": seen})


def test_it_answers_and_outlives_whatever_it_is_asked(call: Call, engine: Engine) -> None:
    status, entered = call("open_session", {"query": {}})
    assert status == 200
    token, want = entered["token"], entered["request"]
    _, first = call("poll", {"token": token, "request": want, "seen": {}})
    for problem, sentence in bad_wants().items():
        status, reply = call("poll", {"token": token, "request": {**want, **json.loads(problem)}, "seen": {}})
        assert (status, reply["ok"]) == (200, False), problem
        assert sentence in reply["error"], problem
        assert len(reply["error"]) < 250
        assert "Traceback" not in reply["error"]
    for ask in (
        None,
        7,
        "poll",
        [],
        {},
        {"token": token},
        {"request": want, "token": token, "x": 1} | {"request": 3},
        NESTED,
    ):
        status, reply = call("poll", ask)
        assert (status, reply["ok"]) == (200, False), ask
        assert reply["error"] == "a poll must be an object with token, request and seen"
    for guess in (None, 0, "", "guessed", token[:-1], [token], {"a": NESTED}, "x" * 1_000_000):
        status, reply = call("poll", {"token": guess, "request": want})
        assert (status, reply["ok"], reply["unknown"]) == (200, False, True)
    for seen in (None, 3, "x", [1], {"a": NESTED}, {"0": "x", str(10**40): -1}):
        status, reply = call("poll", {"token": token, "request": want, "seen": seen})
        assert (status, reply["ok"]) == (200, True), seen
    frames = finished(call, token, want)
    assert [frame["serial"] for frame in frames] == [frame["serial"] for frame in first["frames"]]
    assert [frame["w"] for frame in frames] == [0.0, 3.0]
    for frame in frames:
        request = GridRequest(engine.checkpoint.hash, (0,), w=(frame["w"],))
        assert base64.b64decode(frame["pixels"]) == engine.draw(request).tobytes()


def bad_wants() -> dict[str, str]:
    """What is wrong, as JSON text → what the sentence says."""
    return {
        '{"class": 10}': "class must be a whole number from 0 to 9, got 10",
        '{"class": "banana"}': "class must be a whole number from 0 to 9, got 'banana'",
        '{"class": [0, 3]}': "class must be one label or all here, got 2 labels",
        '{"class": {"a": 1}}': "class must be",
        json.dumps({"class": NESTED}): "class must be",
        '{"w": NaN}': "w must be a number from -1 to 8, got nan",
        '{"w": "nan"}': "w must be a number from -1 to 8, got nan",
        '{"w": -Infinity}': "w must be a number from -1 to 8, got -inf",
        '{"w": 1e400}': "w must be a number from -1 to 8, got inf",
        f'{{"w": 1{"0" * 4000}}}': "w must be a number from -1 to 8, got 1000",
        '{"w": null}': "w must be a number from -1 to 8, got None",
        '{"w": [1, 2]}': "w must be one number here, got 2",
        '{"seed": "x"}': "seed must be a whole number from 0 to 4294967295, got 'x'",
        '{"seed": 1e30}': "seed must be",
        f'{{"seed": 1{"0" * 400}}}': "seed must be",
        '{"steps": 0}': "steps must be a whole number from 1 to 1024, got 0",
        '{"steps": true}': "steps must be a whole number from 1 to 1024, got True",
        '{"samples": 10000}': "samples must be a whole number from 1 to 64, got 10000",
        '{"sampler": "euler"}': "sampler must be one of dpmpp_2m",
        '{"sampler": ["ddim"]}': "sampler must be one of",
        '{"rule": null}': "rule must be one of cfg",
        '{"rule": "classifier"}': "rule must be one of cfg, interval, got 'classifier'",
        '{"model": "another"}': "model must be one of model (0123456789ab), got 'another'",
        '{"__class__": 1}': "'__class__' is not a field",
    }


@pytest.mark.parametrize("ask", [None, 3, "x", [], {"query": 3}, {"query": [1]}, {"query": {"surprise": 1}}], ids=repr)
def test_entering_without_a_query_gives_the_default(call: Call, ask: Any) -> None:
    status, reply = call("open_session", ask)
    assert status == 200
    assert reply["notice"] == ""
    assert reply["request"] == {
        "model": "0123456789ab", "class": 0, "w": 3.0, "seed": 7, "samples": 16,
        "sampler": "dpmpp_2m", "steps": 12, "rule": "cfg", "parameters": {},
    }  # fmt: skip
    assert np.frombuffer(base64.b64decode(reply["rail"]), np.uint8).size == 10 * 8 * 8


def test_a_nonsense_link_gives_the_default_and_one_sentence(call: Call) -> None:
    query = {"class": "banana", "w": "nan", "seed": NESTED, "steps": 0, "samples": "4", "model": None}
    status, reply = call("open_session", {"query": query})
    assert status == 200
    assert reply["request"] | {"samples": 16} == call("open_session", {})[1]["request"]
    assert reply["request"]["samples"] == 4
    model = "In this link, model must be one of model (0123456789ab), got None; "
    assert reply["notice"].startswith(model + "class must be a whole number from 0 to 9, got 'banana'; w must be")
    assert reply["notice"].count("In this link") == 1
    for field in ("seed", "steps"):
        assert f"; {field} must be" in reply["notice"]


def test_only_these_functions_can_be_called(call: Call) -> None:
    for name in ("draw", "parse", "__init__", "restore", "engine", ""):
        assert call(name, {})[0] == 404


def test_a_film_has_every_step_of_both_grids(call: Call, engine: Engine) -> None:
    me = call("open_session", {"query": {"samples": "2", "steps": "3", "w": "2.5", "seed": "12"}})[1]
    finished(call, me["token"], me["request"])
    status, reply = call("trajectory", {"token": me["token"]})
    assert (status, reply["ok"]) == (200, True)
    assert [[frame["evaluations"] for frame in each] for each in reply["trajectories"]] == [[1, 2, 3], [1, 2, 3]]
    request = GridRequest(engine.checkpoint.hash, (0,), w=(2.5,), samples=2, seed=12, steps=3)
    assert base64.b64decode(reply["trajectories"][1][-1]["pixels"]) == engine.draw(request).tobytes()
    for guess in (None, {}, {"token": "guessed"}, 3):
        assert call("trajectory", guess)[1]["unknown"]


def test_leaving_frees_and_may_be_said_twice(call: Call, engine: Engine) -> None:
    token = call("open_session", {})[1]["token"]
    for ask in ({"token": token}, {"token": token}, None, {"token": NESTED}):
        assert call("close_session", ask) == (200, {"ok": True})
    assert call("poll", {"token": token, "request": {}})[1]["unknown"]


def test_programs_get_a_grid_and_stats(client: Client, engine: Engine) -> None:
    reply = client.predict(label="1,2", w="0,2.5", samples=3, steps=4, api_name="/grid")
    request = GridRequest(engine.checkpoint.hash, (1, 2), w=(0.0, 2.5), samples=3, steps=4)
    assert reply["shape"] == [2, 2, 3, 8, 8, 1]
    assert base64.b64decode(reply["pixels"]) == engine.draw(request).tobytes()
    again = {"label" if name == "class" else name: value for name, value in reply["request"].items()}
    assert client.predict(**again, api_name="/grid")["pixels"] == reply["pixels"]
    [offered] = client.predict(api_name="/models")
    assert (offered["hash"], offered["classes"]) == (engine.checkpoint.hash, list("0123456789"))
    stats = client.predict(api_name="/stats")
    assert stats["evaluations"] >= request.pictures * request.evaluations


def test_the_documented_example_runs_as_it_stands(client: Client, tmp_path: Path, monkeypatch: Any) -> None:
    [example] = re.findall(r"```python\n(.*?)```", (DOCS / "api.md").read_text(), re.DOTALL)
    assert len(example.strip().splitlines()) == 10
    monkeypatch.chdir(tmp_path)
    exec(example.replace("http://127.0.0.1:7860", client.src), {})
    with Image.open("grid.png") as picture:
        assert picture.size == (8 * 8, 2 * 8)


def test_every_endpoint_tells_what_its_parameters_are(client: Client) -> None:
    told = client.view_api(return_format="dict")["named_endpoints"]
    assert told.keys() == {"/grid", "/models", "/stats"}
    named = {each["parameter_name"]: each for each in told["/grid"]["parameters"]}
    assert list(named) == ["label", "w", "samples", "seed", "sampler", "steps", "rule", "model", "parameters"]
    assert all(each["parameter_has_default"] for each in named.values())


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        ({"label": 10}, "class must be a whole number from 0 to 9, got 10"),
        ({"w": [1, "x"]}, "w must be a number from -1 to 8, got 'x'"),
        ({"model": "nobody's"}, "model must be one of model (0123456789ab)"),
        ({"samples": 64, "label": "all", "w": [0, 1]}, "samples must be a whole number from 1 to 640, got 1280"),
        ({"sampler": "x" * 1_000_000}, "sampler must be one of"),
    ],
)
def test_programs_get_a_sentence_for_what_cannot_be_had(client: Client, ask: Any, sentence: str) -> None:
    with pytest.raises(AppError) as error:
        client.predict(**ask, api_name="/grid")
    assert sentence in str(error.value)
    assert "Traceback" not in str(error.value)


WORDS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.just("x" * 10_000),
    st.sampled_from(["nan", "all", "0,1,2", "-1", "1e99", 10**400]),
)  # fmt: skip
VALUES = st.recursive(
    WORDS, lambda v: st.one_of(st.lists(v, max_size=4), st.dictionaries(st.text(max_size=8), v, max_size=4))
)
FIELDS = st.sampled_from(["class", "w", "seed", "samples", "sampler", "steps", "rule", "model", "query", "token"])
WANTS = st.dictionaries(FIELDS, VALUES, max_size=4)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["open_session", "describe_model", "poll", "rail", "trajectory", "pause_session", "close_session"]),
    VALUES
    | st.fixed_dictionaries({"token": VALUES, "request": WANTS, "seen": VALUES})
    | st.fixed_dictionaries({"query": WANTS}),
)
def test_whatever_is_sent_gets_an_answer(call: Call, function: str, ask: Any) -> None:
    status, reply = call(function, ask)
    assert status == 200
    assert isinstance(reply, dict)
    assert "Traceback" not in str(reply.get("error", ""))
    if function == "open_session" and reply["ok"]:
        assert call("close_session", {"token": reply["token"]}) == (200, {"ok": True})


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(WANTS)
def test_whatever_is_wanted_gets_frames_or_a_sentence(call: Call, engine: Engine, want: dict[str, Any]) -> None:
    token = call("open_session", {})[1]["token"]
    status, reply = call("poll", {"token": token, "request": want, "seen": {}})
    assert status == 200
    if reply["ok"]:
        assert len(reply["frames"]) == 2
    else:
        assert reply["error"].count("\n") == 0
        assert len(reply["error"]) < 400
    call("close_session", {"token": token})


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(VALUES, max_size=9))
def test_whatever_programs_send_gets_pictures_or_a_sentence(client: Client, values: list[Any]) -> None:
    address = f"{client.src}gradio_api/call/grid"
    status, event = send(address, json.dumps({"data": values}))
    assert status == 200
    with urllib.request.urlopen(f"{address}/{event['event_id']}", timeout=60) as stream:
        kind, told = stream.read().decode().strip().splitlines()[-2:]
    assert kind == "event: complete" or json.loads(told.removeprefix("data: "))["error"]


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
def test_what_is_not_there_or_no_call_is_refused(client: Client, path: str, body: Any, expected: int) -> None:
    status, reply = send(f"{client.src}gradio_api/{path}", json.dumps(body))
    assert status == expected
    if status == 404:
        assert json.loads(reply) == {"error": "there is nothing of that name or number here"}


@pytest.mark.parametrize(
    "told", [None, 5, [1], {"request": 5}, {"request": [1]}, {"request": {"w": "x"}, "token": [1]}]
)
def test_a_gpu_is_not_lent_to_nonsense(client: Client, told: Any) -> None:
    ask = {"data": [], "fn_index": 0, "session_hash": json.dumps(told), "event_data": told}
    assert send(f"{client.src}gradio_api/queue/join", json.dumps(ask))[0] == 200
    session = urllib.parse.quote(json.dumps(told))
    with urllib.request.urlopen(f"{client.src}gradio_api/queue/data?session_hash={session}", timeout=60) as stream:
        heard = stream.read().decode()
    assert '"success":false' in heard
    assert re.search(r'"error":"(model must be one that is drawn by a remote GPU|w must be a number)', heard)


def test_nothing_large_is_taken(client: Client) -> None:
    body = json.dumps({"data": ["x" * 10_000_000]}).encode()
    status, reply = send(f"{client.src}gradio_api/call/grid", body.decode())
    assert (status, json.loads(reply)) == (
        413,
        {"error": f"a request must have at most 1048576 bytes, got {len(body)}"},
    )
    address = urllib.parse.urlsplit(client.src)
    unannounced = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    unannounced.request("POST", "/gradio_api/call/grid", iter([body]), {"Content-Type": "application/json"})
    assert unannounced.getresponse().status == 413
    upload = urllib.request.Request(
        f"{client.src}gradio_api/upload",
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n',
        {"Content-Type": "multipart/form-data; boundary=x"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(upload, timeout=60)
    assert refused.value.code == 413


def test_after_a_thousand_calls_at_once_it_still_serves(call: Call, engine: Engine) -> None:
    token = call("open_session", {})[1]["token"]
    finished(call, token, {"samples": 1, "steps": 1})  # who has asked is remembered for longer
    asks = [
        ("open_session", {"query": {"class": n}}) if n % 2 else ("poll", {"token": n, "request": {"w": n}})
        for n in range(1000)
    ]
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda ask: call(*ask), asks))
    assert {status for status, _ in replies} == {200}
    full = [reply["error"] for _, reply in replies[1::2] if not reply["ok"]]
    assert all("The lab is full" in error for error in full)
    want = {"samples": 2, "steps": 2, "seed": 77}
    assert all(frame["error"] is None for frame in finished(call, token, want))
    for _, reply in replies[1::2]:
        if reply["ok"]:
            call("close_session", {"token": reply["token"]})
