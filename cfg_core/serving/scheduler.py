"""Who is here, what they want, and who goes first."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import BLOCK, GridJob

Wish = tuple[tuple[GridRequest, ...], tuple[GridRequest, ...]]
"""The grids that a person looks at, and those of their strip, the most important first."""


BETTER = 4
"""Every so many turns the granted block is for who has a picture and waits for a better, though others have none yet.
Without it the unguided pane would never come in a full class; with more, the first picture of everybody is later."""


AGE = 16
"""Evaluations of one sample that a turn of waiting is worth, where it is decided whose block is granted: a longer grid
goes before those that are shorter by no more than this and came a turn later."""


@dataclass(eq=False)
class Session:
    """looked_at, strip: the works of their wish. version: counts what they have not been told of. seen: when they last
    asked. since: when they began to wait for their first work. waiting: the turn since which
    they wait for what they look at. served: the last turn that was also theirs."""

    wish: Wish = ((), ())
    looked_at: list[GridJob] = field(default_factory=list)
    strip: list[GridJob] = field(default_factory=list)
    version: int = 0
    seen: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.monotonic)
    waiting: int = 0
    served: int = 0
    listeners: set[asyncio.Future] = field(default_factory=set)

    @property
    def works(self) -> list[GridJob]:
        return [*self.looked_at, *self.strip]

    @property
    def unfinished(self) -> list[GridJob]:
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
    """Who goes first. GRANTED: one block of this turn is theirs, since they waited for long. FIRST: they have no
    picture yet. LOOKED_AT: they have one, and wait for a better. STRIP: what they may look at next."""

    GRANTED = 0
    FIRST = 1
    LOOKED_AT = 2
    STRIP = 3


Turn = tuple[Level, int, int, int]


Entry = tuple[Turn, Session, GridJob]


def ranked_jobs(people: Iterable[Session], turn: int) -> list[Entry]:
    """Everybody's unfinished works, the next to be served first.

    Of what people look at, what has the least left to do goes first, so that short grids do not wait for long ones, and
    what was begun is finished. But one block of every turn is granted to who waits for long, so that long grids come
    too. Strips go round between people, the one who was served longest ago first.
    """
    entries = [((*rank, work.frame.serial), person, work) for person in people for rank, work in _ranked(person)]
    entries.sort(key=lambda entry: entry[0])
    return [*_granted(entries, turn), *entries]


def _ranked(person: Session) -> Iterator[tuple[tuple[Level, int, int], GridJob]]:
    has_picture = person.has_picture
    for place, work in enumerate(person.unfinished):
        if work in person.looked_at:
            yield (Level.FIRST if place == 0 and not has_picture else Level.LOOKED_AT, work.remaining, 0), work
        else:
            yield (Level.STRIP, place, person.served), work


def _granted(entries: Sequence[Entry], turn: int) -> Iterator[Entry]:
    """Whose one block is granted in this turn."""
    level = entries[0][0][0] if entries else Level.STRIP
    if level is Level.STRIP:
        return
    waiting = [entry for entry in entries if entry[0][0] is level]
    if level is Level.FIRST and turn % BETTER == 1:
        waiting = [e for e in entries if e[0][0] is Level.LOOKED_AT and e[1].has_picture] or waiting
    _, person, work = min(waiting, key=lambda entry: AGE * entry[1].waiting + entry[2].remaining)
    yield (Level.GRANTED, 0, 0, 0), person, work


def share(entries: Sequence[Entry], samples: int) -> dict[GridJob, int]:
    """How many blocks of which works the next evaluation takes: of one level, up to so many samples, but at least one.

    Each person has one block before anybody has a second, so that nobody waits because another's grid is large. Beside
    the granted block one level is taken along; no more, since every sample makes the turn longer for all. Where nobody
    waits for a first picture the turn is half as long, for somebody may come.
    """
    shares: dict[GridJob, int] = {}
    served: set[Session] = set()
    level = next((level for (level, *_), _, _ in entries if level is not Level.GRANTED), Level.STRIP)
    most = samples if level is Level.FIRST else samples // 2
    for everybody_has_one in (False, True):
        for (current, *_), person, work in entries:
            room = (most - sum(min(n * BLOCK, work.request.pictures) for work, n in shares.items())) // BLOCK
            if current > level or (shares and room <= 0):
                break
            taken = shares.get(work, 0)
            if everybody_has_one and current is level:
                shares[work] = min(work.behind, taken + room)
            elif not taken and person not in served:
                shares[work] = 1
                served.add(person)
    return shares
