"""Parameters of rules and samplers: one declaration, one meaning a name, one sentence for whatever is out of range."""

import math
from itertools import chain

import pytest

from cfg_core.grids.request import FIELDS, PARAMETERS, GridRequest
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import Parameter, assigned, resolve
from cfg_core.sampling.samplers import SAMPLERS

A, B = Parameter("a", "α", 0.0, 2.0, 1.0, 0.1, "first"), Parameter("b", "β", -1.0, 1.0, 0.0, 0.1, "second")
DECLARED = list(chain.from_iterable(each.parameters for each in (*RULES.values(), *SAMPLERS.values())))


def test_what_is_not_given_takes_its_default_and_all_are_sorted_by_name():
    assert list(resolve([B, A], {"a": 2}).items()) == [("a", 2.0), ("b", 0.0)]
    assert math.copysign(1, resolve([B], {"b": -0.0})["b"]) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"c": 1}, "parameters must be among a, b for this rule and sampler, got 'c'"),
        ({"a": 2.5}, "a must be a number from 0 to 2, got 2.5"),
        ({"a": "1"}, "a must be a number from 0 to 2, got '1'"),
        ({"a": math.nan}, "a must be a number from 0 to 2, got nan"),
        ({"b": True}, "b must be a number from -1 to 1, got True"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        resolve([A, B], given)


def test_where_there_are_none_none_may_be_given():
    with pytest.raises(ValueError, match="parameters must be among none for this rule and sampler, got 'eta'"):
        resolve([], {"eta": 1.0})


def test_a_command_line_assigns():
    assert assigned(["rho=5", "eta = 0.5"]) == {"rho": 5.0, "eta": 0.5}
    for text in ("rho", "rho=", "rho=five", "=", ""):
        with pytest.raises(ValueError, match="set must be name=value with a number, got"):
            assigned([text])


def test_a_name_means_the_same_wherever_it_is_declared():
    for parameter in DECLARED:
        for other in DECLARED:
            if parameter.name == other.name:
                assert (parameter.symbol, parameter.low, parameter.high) == (other.symbol, other.low, other.high)
                assert (parameter.step, parameter.help) == (other.step, other.help)
            else:
                assert parameter.symbol != other.symbol


def test_no_name_is_that_of_a_field_of_a_request():
    taken = {*FIELDS, *GridRequest.__dataclass_fields__, "parameters", "version", "label", "token"}
    assert not taken & set(PARAMETERS)
    assert set(PARAMETERS) == {parameter.name for parameter in DECLARED}


def test_every_default_is_in_range_and_can_be_reached_by_the_slider():
    for parameter in DECLARED:
        assert parameter.low <= parameter.default <= parameter.high
        steps = (parameter.default - parameter.low) / parameter.step
        assert steps == pytest.approx(round(steps), abs=1e-9)
        assert parameter.help
