"""Sessions on their own: their order, expiry by the clock, what a change of demand keeps, how much one holds."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.cache import GridCache
from cfg_core.serving.sessions import (
    ENTRY_TIMEOUT,
    IDLE_TIMEOUT,
    MOST_LISTENERS,
    PULL_TIMEOUT,
    Demand,
    Session,
    Sessions,
    UnknownSession,
)
from tests.serving.helpers import A, B

UNGUIDED = replace(A, w=(0.0,))


class Clock:
    """Seconds that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    """Two places, and two in the queue, for as many of one address."""
    return Sessions(2, 2, 4, clock)


def test_places_are_taken_in_the_order_of_the_first_calls(sessions: Sessions) -> None:
    tokens = [sessions.open(address=f"visitor {n}") for n in range(4)]
    tokens = [tokens[n] for n in (2, 0, 1, 3)]
    for token in tokens:
        sessions.get(token)
    assert sessions.tokens == tokens
    assert [sessions.queue_position(token) for token in tokens] == [0, 0, 1, 2]
    assert sessions.admitted == [sessions.get(token) for token in tokens[:2]]
    with pytest.raises(ServiceFull, match="The lab is full, and so is its queue"):
        sessions.open(address="another")
    assert sessions.close(tokens[1])
    assert [sessions.queue_position(token) for token in sessions.tokens] == [0, 0, 1]


def test_a_silent_session_exchanges_its_place_with_one_that_calls_and_is_not_forgotten(
    sessions: Sessions, clock: Clock
) -> None:
    silent, served, waiting, last = tokens = [sessions.open() for _ in range(4)]
    for token in tokens:
        sessions.get(token).set_demand(Demand((A,)), GridCache(0), 0)
    clock.now += PULL_TIMEOUT + 0.1
    sessions.get(served)
    sessions.expire()
    assert sessions.tokens == tokens, "nobody calls who could use the place"
    for token in (waiting, last):
        sessions.get(token)
    sessions.expire()
    assert sessions.tokens == [waiting, served, silent, last]
    assert sessions.get(silent).jobs == [], "in the queue it holds no pictures"


def test_the_services_own_sessions_are_admitted_beside_the_places_and_do_not_expire(
    sessions: Sessions, clock: Clock
) -> None:
    visitors = [sessions.open() for _ in range(4)]
    for token in visitors:
        sessions.get(token)
    own = [sessions.open_own() for _ in range(5)]
    assert [sessions.queue_position(token) for token in visitors] == [0, 0, 1, 2]
    assert [sessions.queue_position(token) for token in own] == [0] * 5
    assert sessions.admitted == [sessions.get(token) for token in (*visitors[:2], *own)]
    clock.now += IDLE_TIMEOUT + 0.1
    sessions.expire()
    assert sessions.tokens == own
    assert sessions.close(own[0])
    assert len(sessions) == len(list(sessions)) == 4


def test_what_stands_for_an_address_tells_addresses_apart_and_means_nothing_elsewhere(clock: Clock) -> None:
    def kept(address: str, sessions: Sessions) -> bytes:
        return sessions.get(sessions.open(address=address)).address

    here, elsewhere = Sessions(9, 0, 9, clock), Sessions(9, 0, 9, clock)
    assert kept("192.0.2.1", here) == kept("192.0.2.1", here) != kept("192.0.2.2", here)
    assert kept("192.0.2.1", here) != kept("192.0.2.1", elsewhere)
    assert len(kept("x" * 2**20, here)) == len(kept("\udc80", here)) == 8
    assert kept("", here) == kept("", here), "those without an address share one"


def test_at_most_so_many_wait_for_the_same_session() -> None:
    async def scenario() -> None:
        session, loop = Session(), asyncio.get_running_loop()
        futures = [loop.create_future() for _ in range(MOST_LISTENERS + 2)]
        for future in futures:
            session.listen(future)
        assert list(session.listeners) == futures[2:]
        await asyncio.wait_for(asyncio.gather(*futures[:2]), 10)
        session.notify()
        await asyncio.wait_for(asyncio.gather(*futures), 10)

    asyncio.run(scenario())


def test_tokens_are_unguessable_and_die_with_their_session(sessions: Sessions) -> None:
    token = sessions.open()
    assert len(token) >= 22, "16 random bytes"
    assert token != sessions.open()
    assert sessions.close(token)
    assert not sessions.close(token)
    with pytest.raises(UnknownSession, match="this session is unknown") as unknown:
        sessions.get(token)
    assert sessions.find("x" * 2**20) is None
    assert not isinstance(unknown.value, LookupError), "Gradio's own, for which the page answers 404"


def test_a_session_expires_after_its_last_call(sessions: Sessions, clock: Clock) -> None:
    token, silent = sessions.open(), sessions.open()
    for each in (token, silent):
        sessions.get(each)
    clock.now += IDLE_TIMEOUT
    sessions.expire()
    assert len(sessions) == 2
    sessions.get(token)
    clock.now += 0.1
    sessions.expire()
    assert sessions.tokens == [token]


def test_a_session_that_never_calls_expires_early_and_makes_room(sessions: Sessions, clock: Clock) -> None:
    for _ in range(4):
        sessions.open()
    clock.now += ENTRY_TIMEOUT + 0.1
    token = sessions.open()
    assert sessions.tokens == [token]


def test_jobs_that_are_in_the_new_demand_too_go_on() -> None:
    session, cache = Session(), GridCache(0)
    session.set_demand(Demand((A, UNGUIDED)), cache, 0)
    kept = session.displayed[1]
    session.set_demand(Demand((B, UNGUIDED)), cache, 0)
    assert session.displayed[1] is kept
    assert [job.request for job in session.jobs] == [B, UNGUIDED]
    kept.fail("It broke.")
    session.set_demand(Demand((A, UNGUIDED)), cache, 0)
    assert session.displayed[1] is not kept, "what failed is tried again"


def test_each_change_of_the_demand_is_a_new_version() -> None:
    session, cache = Session(), GridCache(0)
    versions = [session.version]
    for demand in (Demand((A,)), Demand((B,)), Demand()):
        session.set_demand(demand, cache, 0)
        versions.append(session.version)
    assert versions == sorted(set(versions))


def test_a_session_that_only_changes_its_demand_waits_since_the_first() -> None:
    session, cache = Session(), GridCache(0)
    session.set_demand(Demand((A,)), cache, 3)
    session.set_demand(Demand((B,)), cache, 7)
    assert session.waiting_since == 3
    session.last_served = 8
    session.set_demand(Demand((A,)), cache, 9)
    assert session.waiting_since == 9, "it was served meanwhile"


def test_the_view_has_all_that_is_displayed_and_what_is_finished_of_the_strip() -> None:
    session, cache = Session(), GridCache(0)
    rungs = tuple(replace(A, w=(w,)) for w in (1.0, 4.0))
    session.set_demand(Demand((A, UNGUIDED), rungs), cache, 0)
    session.prefetch[1].finish(np.zeros((1, 1, A.samples, 8, 8, 1), np.uint8))
    view = session.view(ahead=2)
    assert [frame.request for frame in view.frames] == [A, UNGUIDED]
    assert [frame.request for frame in view.prefetched] == [rungs[1]]
    assert (view.ahead, view.queue_position, view.complete) == (2, 0, False)
    for job in session.displayed:
        job.finish(np.zeros((1, 1, A.samples, 8, 8, 1), np.uint8))
    assert session.view(0).complete
