"""GridRequest: the one place where a number from outside is checked, and the one text form of a picture."""

import json
import math
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfg_core.grids.request import BESIDE, GridRequest
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.loop import parameters_of, samplers_for
from cfg_core.sampling.samplers import SAMPLERS

CLASSES = 10
GUIDE, WEAKER = "9876543210ab", "0123456789cd"
NESTED: Any = 0
for _ in range(500):
    NESTED = [NESTED]

fields = partial(
    st.builds,
    GridRequest,
    checkpoint=st.just("abc"),
    classes=st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=4).map(tuple) | st.just(tuple(range(CLASSES))),
    w=st.lists(st.floats(-1, 8), min_size=1, max_size=4).map(tuple),
    samples=st.integers(1, 64),
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 1024),
)


@st.composite
def requests(draw: st.DrawFn) -> GridRequest:
    """Any request: some parameters given, the others at their defaults, and the networks that the rule asks."""
    rule = draw(st.sampled_from(list(RULES)))
    sampler = draw(st.sampled_from(samplers_for(rule)))
    given = {p.name: st.floats(p.low, p.high) for p in parameters_of(sampler, rule)}
    parameters = draw(st.fixed_dictionaries({}, optional=given))
    beside = {"guide": GUIDE, "weaker": WEAKER}
    asked = {field: digest for field, digest in beside.items() if BESIDE[field] in RULES[rule].sources}
    own = {"sampler": sampler, "rule": rule, "parameters": parameters, **asked}
    return draw(fields(**{name: st.just(value) for name, value in own.items()}))


def parse(**raw: object) -> GridRequest:
    return GridRequest.parse(raw, "abc", CLASSES)


@given(requests())
def test_a_link_restores_the_request_exactly(request: GridRequest) -> None:
    query = dict(parse_qsl(request.to_url(CLASSES).removeprefix("?")))
    assert query == request.to_query(CLASSES)
    assert GridRequest.parse(query, "abc", CLASSES, GUIDE, WEAKER) == request


@given(requests())
def test_json_restores_the_request_exactly(request: GridRequest) -> None:
    assert GridRequest.from_json(request.to_json()) == request


def test_defaults() -> None:
    assert parse() == GridRequest("abc", (0,), (3.0,), 16, 7, "dpmpp_2m", 12, "cfg")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_steps_default_to_those_of_the_sampler(sampler: str) -> None:
    assert parse(sampler=sampler).steps == SAMPLERS[sampler].default_steps
    assert parse(sampler=sampler, steps="5").steps == 5


def test_text_and_numbers_mean_the_same() -> None:
    assert parse(**{"class": " 3", "w": "0.25", "seed": "9 "}) == parse(**{"class": 3, "w": 0.25, "seed": 9})
    assert parse(**{"class": "all"}).classes == tuple(range(CLASSES))
    assert parse(**{"class": "0,3", "w": "0,1.5"}) == parse(**{"class": [0, 3], "w": [0, 1.5]})


HUGE = 10**400
BAD: list[tuple[str, Any, str]] = [
    *[
        ("class", value, "from 0 to 9")
        for value in (10, -1, "10", "banana", "1.5", 1.5, True, None, [[0]], NESTED, {}, HUGE, "", "0," * 9)
    ],
    *[("w", value, "from -1 to 8") for value in ("nan", "inf", "-inf", "abc", 8.1, -1.01, "9", None, {}, HUGE, "1,,2")],
    *[("w", value, "from -1 to 8") for value in (math.nan, math.inf, -math.inf, True, [[1.0]], "1" * 5000)],
    *[("steps", value, "from 1 to 1024") for value in (0, "0", -3, 1025, 1.0, "12.5", "x", "", None, [], HUGE, "1e2")],
    *[("seed", value, "from 0 to 4294967295") for value in ("x", -1, 2**32, "4294967296", "0x10", 0.5, {}, -HUGE)],
    *[("samples", value, "from 1 to 64") for value in (0, 65, 10_000, "10000", "-1", "many", False, [16])],
    *[("sampler", value, ", ".join(SAMPLERS)) for value in ("euler", "", None, 3, ["ddim"], {}, "DDIM")],
    *[("rule", value, ", ".join(RULES)) for value in ("free", "", None, 0, ["cfg"])],
    ("model", "0123456789ab", "abc"),
    ("class", [], "at least one number"),
    ("w", [], "at least one number"),
]


@pytest.mark.parametrize(("name", "value", "range"), BAD, ids=lambda value: repr(value)[:24])
def test_whatever_is_out_of_range_gets_a_sentence(name: str, value: object, range: str) -> None:
    with pytest.raises(ValueError, match="must") as refusal:
        parse(**{name: value})
    sentence = str(refusal.value)
    assert sentence.startswith({"class": ("class must", "classes must")}.get(name, f"{name} must"))
    assert range in sentence
    assert "\n" not in sentence
    assert len(sentence) < 350


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("w", "abc", "'abc'"), ("w", "nan", "nan"), ("steps", 0, "0"), ("seed", "x", "'x'"), ("class", 10, "10")],
)
def test_the_sentence_shows_the_value(name: str, value: object, shown: str) -> None:
    with pytest.raises(ValueError, match=f"got {shown}$"):
        parse(**{name: value})


@pytest.mark.parametrize("name", ["class", "w", "seed", "samples", "sampler", "steps", "rule", "model"])
@pytest.mark.parametrize("character", ["x", "1", ",", " "])
def test_ten_megabytes_are_refused_shortly(name: str, character: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}") as refusal:
        parse(**{name: character * 10_000_000})
    assert len(str(refusal.value)) < 350


def test_too_many_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"classes × w × samples must be .* from 1 to 4096, got 6400"):
        parse(**{"class": "all", "w": [1] * 10, "samples": 64})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="'scale' is not a field of a request"):
        parse(scale=4)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": []}, {"classes": 3}, {"classes": ["x"]}, {"classes": [-1]}, {"classes": None}, {"w": 3.0},
        {"w": [math.nan]}, {"w": "3"}, {"samples": "16"}, {"checkpoint": 5}, {"seed": -1}, {"steps": 0}, {"extra": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_json_of_anything_else_is_refused(changes: dict[str, Any]) -> None:
    text = json.dumps(json.loads(parse().to_json()) | changes)
    with pytest.raises(ValueError, match="must"):
        GridRequest.from_json(text)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", "[" * 100_000], ids=lambda text: text[:8])
def test_text_that_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        GridRequest.from_json(text)


def test_evaluations_are_those_of_the_sampler() -> None:
    assert parse(sampler="heun", steps=12).evaluations == 23
    assert replace(parse(), classes=(1, 2), w=(0.0, 1.0, 2.0)).pictures == 96
