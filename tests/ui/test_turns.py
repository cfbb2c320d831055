"""Who is served next, and who leaves the line."""

import asyncio
from typing import Any

import pytest

from cfg_core.ui.turns import Full, Turns


def run(turns: Turns, asked: list[str], hung_up: tuple[int, ...] = (), at_once: int = 1) -> list[str]:
    """Ask for turns in this order, some of which hang up while they wait; returns who was served, in order."""
    served: list[str] = []
    busy = 0

    async def ask(address: str) -> None:
        nonlocal busy
        async with turns.turn(address.rstrip("0123456789")):
            busy += 1
            assert busy <= at_once
            served.append(address)
            try:
                await asyncio.sleep(0)
            finally:
                busy -= 1

    async def scenario() -> Any:
        tasks = [asyncio.create_task(ask(address)) for address in asked]
        await asyncio.sleep(0)
        for index in hung_up:
            tasks[index].cancel()
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)

    asyncio.run(scenario())
    return served


def test_addresses_take_turns() -> None:
    assert run(Turns(1, 9, 9), ["a1", "a2", "a3", "a4", "b1", "c1", "b2"]) == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


def test_an_address_is_served_once_at_a_time() -> None:
    assert run(Turns(2, 9, 9), ["a1", "a2", "b1"], at_once=2)[:2] == ["a1", "b1"]


def test_whoever_hangs_up_leaves_the_line_and_the_others_go_on() -> None:
    asked = ["a1", "a2", "a3", "b1", "a4"]
    assert run(Turns(1, 9, 9), asked, hung_up=(0, 1, 3)) == ["a1", "a3", "a4"]
    assert run(Turns(1, 9, 9), asked, hung_up=(2, 3, 4)) == ["a1", "a2"]


@pytest.mark.parametrize(("waiting", "of_address", "expected"), [(2, 9, 2), (9, 2, 2)])
def test_more_than_may_wait_are_refused_with_their_number(waiting: int, of_address: int, expected: int) -> None:
    turns = Turns(1, waiting, of_address)

    async def scenario() -> None:
        async def ask() -> None:
            async with turns.turn("a"):
                await asyncio.sleep(0.01)

        answers = await asyncio.gather(*(ask() for _ in range(5)), return_exceptions=True)
        assert [str(answer) for answer in answers if isinstance(answer, Full)] == [str(expected)] * 2
        await ask()

    asyncio.run(scenario())
