"""Waiting for an update of a session's view: at once where there is one, never later than asked."""

import asyncio
from collections.abc import Callable

from cfg_core.serving.engine import Engine
from cfg_core.serving.sessions import Demand
from tests.serving.helpers import PATIENCE, A, B, Gate


def updated(engine: Engine, token: str, version: int, timeout: float, meanwhile: Callable[[], None]) -> bool:
    """Whether an update came before the timeout; ``meanwhile`` runs once the wait has begun."""

    async def wait() -> bool:
        waiting = asyncio.ensure_future(engine.wait_for_update(token, version, timeout))
        await asyncio.sleep(0)
        meanwhile()
        await asyncio.wait_for(waiting, PATIENCE)
        return engine.set_demand(token, [A]).version != version

    return asyncio.run(wait())


def test_an_update_that_came_before_the_wait_ends_it_at_once(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.set_demand(token, [A]).version
    gate.arrived()
    gate.step()  # one evaluation is over before anybody waits; no other will end
    assert updated(gated, token, version, 1e6, lambda: None)


def test_another_demand_is_an_update(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.set_demand(token, [A]).version
    gated.set_demand(token, [B])
    asyncio.run(asyncio.wait_for(gated.wait_for_update(token, version, 1e6), PATIENCE))


def test_the_first_and_the_last_evaluation_are_updates_the_others_are_not(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.set_demand(token, [A]).version
    gate.arrived()
    updates = [updated(gated, token, version, 1e6, gate.step)]
    for _ in range(A.steps - 2):
        version = gated.set_demand(token, [A]).version
        updates.append(updated(gated, token, version, 0.01, gate.step))
    updates.append(updated(gated, token, version, 1e6, gate.permits.release))
    assert updates == [True, *[False] * (A.steps - 2), True]


def test_a_newer_demand_ends_the_wait_of_the_older(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.set_demand(token, [A]).version
    gate.arrived()

    async def wait() -> object:
        waiting = asyncio.ensure_future(gated.next_view(token, Demand((A,)), version, 1e6))
        await asyncio.sleep(0)
        gated.set_demand(token, [B])
        return await asyncio.wait_for(waiting, PATIENCE)

    assert asyncio.run(wait()) is None
    assert [frame.request for frame in gated.set_demand(token, [B]).frames] == [B]


def test_without_an_update_the_wait_ends(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.set_demand(token, [A]).version
    gate.arrived()
    assert not updated(gated, token, version, 0.01, lambda: None)
    assert not gated.sessions.get(token).listeners


def test_a_wait_that_is_cancelled_leaves_no_listener(gate: Gate, gated: Engine) -> None:
    token = gated.admit()
    version = gated.set_demand(token, [A]).version

    async def cancel() -> None:
        waiting = asyncio.ensure_future(gated.wait_for_update(token, version, 1e6))
        await asyncio.sleep(0)
        assert gated.sessions.get(token).listeners
        waiting.cancel()
        await asyncio.wait([waiting])

    asyncio.run(cancel())
    assert not gated.sessions.get(token).listeners
