"""The policy of places, as pure functions of the sessions: who passes a place on, and who makes room for a newcomer.

Places belong to whoever calls: the page pulls what is new, or says that it is still there. A session that has been
silent, without a call for ``pull_timeout``, exchanges its place with the first in the queue that is not. Where the lab
and its queue are full, or the newcomer's client address has as many sessions as one may have, a session makes room: one
that has never called, the oldest first; else the one that has been silent longest. Where none is silent, one of the
address with the most sessions makes room for a newcomer whose address has less than its share.

The *share* of an address is ``per_address`` sessions, and of a full lab and queue no more than an equal part of them
among the addresses. So a session that calls is never forgotten while its address is within its share, or has one
session only; and a newcomer whose address has less than its share is never refused.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Protocol, TypeVar


class Visitor(Protocol):
    """A session. address: what stands for its client's address. last_seen: time of its last call."""

    address: bytes
    last_seen: float


V = TypeVar("V", bound=Visitor)


class ServiceFull(RuntimeError):
    """There is no room for a newcomer; the message is a sentence for the user."""


def exchanges(sessions: Mapping[str, V], places: int, silent_since: float) -> dict[str, str]:
    """Silent session that is served → session of the queue that gets its place, by their tokens.

    sessions: in their order, the first ``places`` are served. silent_since: those without a call since then are silent.
    """
    if len(sessions) <= places:
        return {}
    tokens = list(sessions)
    silent = [token for token in tokens[:places] if sessions[token].last_seen < silent_since]
    calling = [token for token in tokens[places:] if sessions[token].last_seen >= silent_since]
    silent.sort(key=lambda token: sessions[token].last_seen)
    return dict(zip(silent, calling, strict=False))


def makes_room(
    entering: Mapping[str, V],
    sessions: Mapping[str, V],
    room: int,
    per_address: int,
    silent_since: float,
    address: bytes,
) -> str | None:
    """The token of the session that makes room for a newcomer of an address; None where there is room.

    entering: sessions that have never called, the oldest first. room: how many sessions there may be. per_address: of
    one address. Raises ServiceFull.
    """
    everybody = {**entering, **sessions}
    counts = Counter(each.address for each in everybody.values())
    at_limit = counts[address] >= per_address
    if len(everybody) < room and not at_limit:
        return None
    by_silence = sorted(sessions, key=lambda token: sessions[token].last_seen)
    silent = [token for token in by_silence if sessions[token].last_seen < silent_since]
    for token in [*entering, *silent]:
        if not at_limit or everybody[token].address == address:
            return token
    if at_limit:
        raise ServiceFull(
            f"There are already {per_address} visitors from your network, as many as there may be. Please close other "
            "pages of this lab, or come back later."
        )
    most, equal_part = max(counts.values()), max(1, room // len({*counts, address}))
    if counts[address] < equal_part < most:
        return next(token for token in by_silence if counts[sessions[token].address] == most)
    raise ServiceFull("The lab is full, and so is its queue. Please come back later.")
