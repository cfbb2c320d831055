"""Sessions on their own: admission in the order of arrival, expiry by the clock, what a change of demand keeps."""

from dataclasses import replace

import numpy as np
import pytest

from cfg_core.serving.cache import GridCache
from cfg_core.serving.sessions import (
    ENTRY_TIMEOUT,
    IDLE_TIMEOUT,
    Demand,
    ServiceFull,
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
    """Two places, and two in the queue."""
    return Sessions(2, 2, clock)


def test_places_are_taken_in_the_order_of_arrival(sessions: Sessions) -> None:
    tokens = [sessions.open() for _ in range(4)]
    assert sessions.tokens == tokens
    assert [sessions.queue_position(token) for token in tokens] == [0, 0, 1, 2]
    assert sessions.admitted == [sessions.get(token) for token in tokens[:2]]
    with pytest.raises(ServiceFull, match="The lab is full, and so is its queue of 2"):
        sessions.open()
    assert sessions.close(tokens[1])
    assert [sessions.queue_position(token) for token in sessions.tokens] == [0, 0, 1]


def test_tokens_are_unguessable_and_die_with_their_session(sessions: Sessions) -> None:
    token = sessions.open()
    assert len(token) >= 22, "16 random bytes"
    assert token != sessions.open()
    assert sessions.close(token)
    assert not sessions.close(token)
    with pytest.raises(UnknownSession, match="this session is unknown") as unknown:
        sessions.get(token)
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
