"""In the running engine no session waits too long, whatever the others demand."""

from dataclasses import replace

import pytest

from cfg_core.grids.ladder import strip
from cfg_core.serving.engine import Engine
from tests.serving.helpers import A, Gate


@pytest.mark.parametrize("steps", [1, 2, 12, 50])
def test_a_greedy_session_delays_another_by_no_more_than_two_rounds(gate: Gate, gated: Engine, steps: int) -> None:
    greedy, other = gated.admit(), gated.admit()
    large = replace(A, samples=64, steps=steps)
    gated.set_demand(greedy, [large], strip(large))
    gate.arrived()
    for _ in range(7):
        gate.step()
    before = len(gate.rows)
    mine = replace(A, samples=16)
    gated.set_demand(other, [mine])
    rounds = 0
    while not gated.set_demand(other, [mine]).frames[0].done:
        gate.step()
        gated.set_demand(greedy, [replace(large, seed=rounds)], strip(replace(large, seed=rounds)))
        rounds += 1
    assert len(gate.rows) - before <= mine.evaluations + 2
    assert gated.set_demand(other, [mine]).frames[0].error is None


def test_no_session_starves_while_others_keep_coming(gate: Gate, gated: Engine) -> None:
    patient = gated.admit()
    long = replace(A, samples=64)
    gated.set_demand(patient, [long])
    gate.arrived()
    seed = 0
    impatient = [gated.admit() for _ in range(4)]
    for _ in range(400):
        for token in impatient:
            seed += 1
            gated.set_demand(token, [replace(A, samples=16, seed=seed, steps=1)])
        gate.step()
        if gated.set_demand(patient, [long]).frames[0].done:
            break
    assert gated.set_demand(patient, [long]).frames[0].done


def test_each_session_is_told_how_many_are_served_before_it(gate: Gate, gated: Engine) -> None:
    tokens = [gated.admit() for _ in range(4)]
    requests = [replace(A, samples=8 * samples) for samples in (2, 3, 4, 5)]
    for token, request in zip(tokens, requests, strict=True):
        gated.set_demand(token, [request])
    gate.arrived()
    gate.step()
    aheads = [gated.set_demand(token, [request]).ahead for token, request in zip(tokens, requests, strict=True)]
    assert aheads == [0, 1, 2, 3]
