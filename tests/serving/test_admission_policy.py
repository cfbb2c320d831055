"""Whatever visitors do: who calls keeps its place, who has less than its share is let in, and all is bounded."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cfg_core.serving.admission import ServiceFull, exchanges, makes_room
from cfg_core.serving.sessions import ENTRY_TIMEOUT, IDLE_TIMEOUT, PULL_TIMEOUT, Sessions

NOW = 100.0
WHICH = st.integers(0, 7)


@dataclass
class Visitor:
    address: bytes
    last_seen: float = NOW


def visitors(described: str) -> dict[str, Visitor]:
    """Each by its token: address and seconds since the last call, as in "a3 b0"."""
    return {each: Visitor(each[:1].encode(), NOW - int(each[1:])) for each in described.split()}


@pytest.mark.parametrize(
    ("entering", "sessions", "newcomer", "expected"),
    [
        ("", "a0 b1 c2", "d", None),  # there is room
        ("d1 e0", "a0 b99", "f", "d1"),  # the oldest of those that have never called
        ("", "a0 b20 c30 d1", "e", "c30"),  # the one that has been silent longest
        ("", "a0 a1 a2 b30", "a", ServiceFull),  # at the limit of an address, only one of its own
        ("", "a0 a1 a29 b30", "a", "a29"),
        ("a1", "a0 a2 b1", "a", "a1"),
        ("", "a0 a1 b3 c4", "d", "a1"),  # all call: one of the address with the most, the one that called longest ago
        ("", "a0 a1 b3 b4", "b", ServiceFull),  # both have their share
        ("", "a0 b1 c2 d3", "e", ServiceFull),
    ],
)
def test_who_makes_room(entering: str, sessions: str, newcomer: str, expected: object) -> None:
    def found() -> str | None:
        given = visitors(entering), visitors(sessions)
        return makes_room(*given, room=4, per_address=3, silent_since=NOW - 15, address=newcomer.encode())

    if expected is ServiceFull:
        with pytest.raises(ServiceFull):
            found()
    else:
        assert found() == expected


def test_a_refusal_says_whether_the_network_or_the_lab_has_no_room() -> None:
    with pytest.raises(ServiceFull, match="There are already 2 visitors from your network, as many as there may be"):
        makes_room({}, visitors("a0 a1"), room=9, per_address=2, silent_since=0, address=b"a")
    with pytest.raises(ServiceFull, match="The lab is full, and so is its queue"):
        makes_room({}, visitors("a0 b1"), room=2, per_address=2, silent_since=0, address=b"c")


def test_the_longest_silent_give_their_places_to_the_first_that_call() -> None:
    assert exchanges(visitors("a20 b0 c25 d30 e1 f2"), 3, NOW - 15) == {"c25": "e1", "a20": "f2"}
    assert exchanges(visitors("a20 b0 c25 d30 e1"), 3, NOW - 15) == {"c25": "e1"}
    assert exchanges(visitors("a20 b20"), 2, NOW - 15) == {}


@dataclass
class Known:
    """What the test knows of a session: its address, when it was opened or called last, whether it ever called."""

    address: str
    seen: float
    called: bool = field(default=False)


class Visits(RuleBasedStateMachine):
    """Visitors of several addresses open, call and close sessions, and time passes."""

    @initialize(places=st.integers(1, 4), queue=st.integers(0, 4), per_address=st.integers(1, 5))
    def start(self, places: int, queue: int, per_address: int) -> None:
        self.now = 0.0
        self.sessions = Sessions(places, queue, per_address, lambda: self.now)
        self.known: dict[str, Known] = {}

    def of(self, address: str) -> int:
        return sum(each.address == address for each in self.known.values())

    def calls(self, token: str) -> bool:
        return self.known[token].called and self.now - self.known[token].seen <= PULL_TIMEOUT

    def share(self, *newcomers: str) -> int:
        addresses = {each.address for each in self.known.values()} | set(newcomers)
        return min(self.sessions.per_address, (self.sessions.places + self.sessions.queue) // len(addresses))

    def forget(self) -> set[str]:
        """Follow what the sessions have forgotten; returns it."""
        gone = self.known.keys() - set(self.sessions.tokens)
        for token in gone:
            del self.known[token]
        return gone

    @rule(address=st.sampled_from("abcdefghi"))
    def open(self, address: str) -> None:
        self.expire()
        share, mine = self.share(address), self.of(address)
        kept = {t for t, each in self.known.items() if self.calls(t) and self.of(each.address) <= max(1, share)}
        before = len(self.known)
        try:
            token = self.sessions.open(address=address)
        except ServiceFull:
            assert mine >= share
            assert not self.forget()
            assert mine == self.sessions.per_address or before == self.sessions.places + self.sessions.queue
            return
        gone = self.forget()
        assert len(gone) <= 1, "nobody makes room in vain"
        assert not gone & kept
        if gone:
            assert mine == self.sessions.per_address or before == self.sessions.places + self.sessions.queue
        self.known[token] = Known(address, self.now)

    @rule(which=WHICH)
    def call(self, which: int) -> None:
        if self.known:
            token = list(self.known)[which % len(self.known)]
            self.sessions.get(token)
            self.known[token] = Known(self.known[token].address, self.now, True)

    @rule(which=WHICH)
    def close(self, which: int) -> None:
        if self.known:
            token = list(self.known)[which % len(self.known)]
            assert self.sessions.close(token)
            assert self.forget() == {token}

    @rule(seconds=st.sampled_from([1.0, ENTRY_TIMEOUT + 1, PULL_TIMEOUT - 1, PULL_TIMEOUT + 1, IDLE_TIMEOUT + 1]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def expire(self) -> None:
        """None that calls is forgotten; those are served that called first, and the others wait in that order."""
        calling = [token for token in self.sessions.tokens if self.calls(token)]
        self.sessions.expire()
        self.forget()
        after = [token for token in self.sessions.tokens if self.calls(token)]
        places = self.sessions.places
        assert {token for token in after if self.sessions.queue_position(token) == 0} == set(calling[:places])
        assert after[places:] == calling[places:]

    @invariant()
    def all_is_bounded(self) -> None:
        assert len(self.sessions) == len(self.known) <= self.sessions.places + self.sessions.queue
        assert len(self.sessions.admitted) <= self.sessions.places
        assert all(self.of(each.address) <= self.sessions.per_address for each in self.known.values())


class TestVisits(Visits.TestCase):
    settings = settings(max_examples=200, stateful_step_count=40, deadline=None, derandomize=True)
