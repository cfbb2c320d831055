"""Requests and scenes from links, programs and files: any text is read or refused in one sentence."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from cfg_core.grids.request import FIELDS, PARAMETERS, GridRequest
from cfg_core.toy2d.scene import Scene
from tests.random_json import QUICK, damaged, read_or_refused

REQUEST = GridRequest("0123456789ab", (3,), (2.0,), samples=4, steps=2)
QUERY = REQUEST.to_query(10)

TEXTS = st.one_of(
    st.text(max_size=60),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["all", "1,2", ",", "1e999", "-0", "٣", "1_0", "0x1", "9" * 5000, "nan", "\0", "%00", "1,all"]),
)


@QUICK
@given(st.dictionaries(st.sampled_from([*FIELDS, *PARAMETERS, "parameters", "x"]), TEXTS, max_size=4))
def test_a_link_is_read_or_refused(fields: dict[str, str]) -> None:
    query = dict(parse_qsl(urlencode({**QUERY, **fields}, errors="surrogatepass"), keep_blank_values=True))
    found = read_or_refused(lambda: GridRequest.parse(query, REQUEST.checkpoint, 10, "ba9876543210"))
    assert found is None or GridRequest.from_json(found.to_json()) == found


@QUICK
@given(st.text(max_size=200))
def test_any_query_is_read_or_refused(query: str) -> None:
    read_or_refused(lambda: GridRequest.parse(dict(parse_qsl(query)), REQUEST.checkpoint, 10))


@QUICK
@given(
    damaged({**QUERY, "class": [0, 3], "w": [0, 1.5], "parameters": {"eta": 0.5}}).filter(
        lambda each: isinstance(each, dict)
    )
)
def test_a_request_of_a_program_is_read_or_refused(payload: dict[str, Any]) -> None:
    read_or_refused(lambda: GridRequest.parse(payload, REQUEST.checkpoint, 10))


@QUICK
@given(damaged(json.loads(REQUEST.to_json())))
def test_a_request_of_a_file_is_read_or_refused(content: Any) -> None:
    read_or_refused(lambda: GridRequest.from_json(json.dumps(content)))


@QUICK
@given(damaged(Scene().to_json()))
def test_a_scene_is_read_or_refused(payload: Any) -> None:
    if found := read_or_refused(lambda: Scene.parse(payload)):
        json.dumps(found.to_json(), allow_nan=False).encode()
