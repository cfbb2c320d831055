"""Who is here, what they want, and who goes first."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from cfg_core.request import GridRequest
from cfg_core.work import BLOCK, Work

Wish = tuple[tuple[GridRequest, ...], tuple[GridRequest, ...]]
"""The grids that a person looks at, and those of their strip, the most important first."""

SECOND = 2
"""Every so many turns one block is for who has a picture and waits for a better, though others have none yet. Without
it the unguided pane would never come in a full class; with more, the first picture of everybody is later."""

MERCY = 8
"""Every so many turns one block is for whoever was served longest ago, whatever they want; not every turn, for turn
about would make the first picture of everybody as late as the last."""

STARVED = 96
"""Turns without being served after which there is mercy."""


@dataclass(eq=False)
class Person:
    """looked_at, strip: the works of their wish. version: counts what they have not been told of. seen: when they last
    asked. since: when they began to wait for their first work. served: the last turn that was also theirs."""

    wish: Wish = ((), ())
    looked_at: list[Work] = field(default_factory=list)
    strip: list[Work] = field(default_factory=list)
    version: int = 0
    seen: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.monotonic)
    served: int = 0
    listeners: set[asyncio.Future] = field(default_factory=set)

    @property
    def works(self) -> list[Work]:
        return [*self.looked_at, *self.strip]

    @property
    def unfinished(self) -> list[Work]:
        return list(dict.fromkeys(work for work in self.works if not work.frame.done))

    @property
    def has_picture(self) -> bool:
        """Whether something is finished that is as near to the w they look at as their strip will ever have it."""
        if not self.looked_at:
            return True
        (at, *_) = self.looked_at[0].request.w
        near = min((abs(rung.request.w[0] - at) for rung in self.strip), default=float("inf"))
        return any(work.frame.done and abs(work.request.w[0] - at) <= near for work in self.works)

    def tell(self) -> None:
        """There is news: wake who listens."""
        self.version += 1
        for future in self.listeners:
            with contextlib.suppress(RuntimeError):  # its event loop has closed
                future.get_loop().call_soon_threadsafe(_resolve, future)
        self.listeners.clear()


def _resolve(future: asyncio.Future) -> None:
    if not future.done():
        future.set_result(None)


class Level(IntEnum):
    """Who goes first. GRANTED: one block of this turn is theirs, because they were served longest ago or because it is
    the turn of those who wait for a better picture. FIRST: they have no picture yet. LOOKED_AT: they have one, and wait
    for a better. STRIP: what they may look at next."""

    GRANTED = 0
    FIRST = 1
    LOOKED_AT = 2
    STRIP = 3


Turn = tuple[Level, int, int, int]


def line(people: Iterable[Person], turn: int) -> list[tuple[Turn, Person, Work]]:
    """Everybody's unfinished works, the next to be served first.

    Of what people look at, what has the least left to do goes first, so that short grids do not wait for long ones, and
    what was begun is finished; strips go round between people, the one who was served longest ago first.
    """
    entries = [((*rank, work.frame.serial), person, work) for person in people for rank, work in _ranked(person, turn)]
    entries.sort(key=lambda entry: entry[0])
    if entries and entries[0][0][0] is Level.FIRST and turn % SECOND == 1:
        waiting = (e for e in entries if e[0][0] is Level.LOOKED_AT and e[1].has_picture)
        if better := next(waiting, None):
            rank, person, work = better
            entries.insert(0, ((Level.GRANTED, *rank[1:]), person, work))
    return entries


def _ranked(person: Person, turn: int) -> Iterator[tuple[tuple[Level, int, int], Work]]:
    for place, work in enumerate(person.unfinished):
        if place == 0 and turn % MERCY == 0 and turn - person.served > STARVED:
            yield (Level.GRANTED, person.served, 0), work
        elif place == 0 and not person.has_picture:
            yield (Level.FIRST, work.remaining, 0), work
        elif work in person.looked_at:
            yield (Level.LOOKED_AT, work.remaining, 0), work
        else:
            yield (Level.STRIP, place, person.served), work


def share(entries: Iterable[tuple[Turn, Person, Work]], samples: int) -> dict[Work, int]:
    """How many blocks of which works the next evaluation takes: of one level, up to so many samples, but at least one.

    Beside a granted block one level is taken along; no more, since every sample makes the turn longer for all. Where
    nobody waits for a first picture the turn is half as long, for somebody may come.
    """
    shares: dict[Work, int] = {}
    level = Level.GRANTED
    for (current, *_), _, work in entries:
        most = samples if current <= Level.FIRST else samples // 2
        room = (most - sum(min(n * BLOCK, work.request.pictures) for work, n in shares.items())) // BLOCK
        if shares and (room <= 0 or (level > Level.GRANTED and current > level)):
            break
        if work in shares or (shares and current is Level.GRANTED):
            continue
        level = max(level, current)
        shares[work] = 1 if current is Level.GRANTED else max(1, min(room, work.behind))
    return shares
