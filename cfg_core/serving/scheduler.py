"""The queue's policy: which blocks of which jobs the next evaluation round takes, as pure functions."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cfg_core.serving.grid_job import BLOCK, GridJob
from cfg_core.serving.sessions import Session

REFINE_EVERY = 4
"""In every so many rounds the reserved block goes to a session that has an image and waits for the exact one, though
others have none yet. Without it the unguided grid would never be drawn in a full class; given more
often, it delays the first images of all sessions."""


AGING = 16
"""Evaluations of one sample that a round of waiting is worth, where the reserved block is given: a longer grid goes
before those that are shorter by no more than this and came a round later."""


FOLLOWERS = 5
"""Pages that must follow a class before what it looks at goes before all else. Of several classes that wait only the
one with the most has this, so that nobody takes the whole service by opening classes."""


class Level(IntEnum):
    """Priority, the lowest first. RESERVED: one block of the round, for the job that has waited for long. CLASS: many
    look at it. FIRST_IMAGE: the session has no image yet. DISPLAYED: it has one, and waits for the exact one. PREFETCH:
    its strip."""

    RESERVED = 0
    CLASS = 1
    FIRST_IMAGE = 2
    DISPLAYED = 3
    PREFETCH = 4


Rank = tuple[Level, int, int, int]


Entry = tuple[Rank, Session, GridJob]


@dataclass(frozen=True)
class Plan:
    """A round. blocks: how many of each job. served: the sessions that it evaluates something of. ahead: session
    without an image → how many others are served before it."""

    blocks: dict[GridJob, int]
    served: set[Session]
    ahead: dict[Session, int]


def plan_round(sessions: Iterable[Session], number: int, samples: int, remote: Container[str] = ()) -> Plan:
    """What the round of that number evaluates: up to so many samples, but at least one block if there is any.

    sessions: the admitted ones, in the order of their arrival. remote: hashes of the checkpoints that are drawn by a
    remote GPU, of which nothing is evaluated here.
    """
    entries = [entry for entry in ranked_jobs(sessions, number) if entry[2].request.checkpoint not in remote]
    first = dict.fromkeys(s for (level, *_), s, _ in entries if level <= Level.FIRST_IMAGE and not s.has_image)
    blocks = allocate_blocks(entries, samples)
    served = {session for _, session, job in entries if job in blocks}
    return Plan(blocks, served, {session: place for place, session in enumerate(first)})


def ranked_jobs(sessions: Iterable[Session], number: int) -> list[Entry]:
    """The unfinished jobs of all sessions, the next to be served first, in the round of that number.

    Of the displayed grids, the one with the least left to do goes first, so that short grids do not wait for long ones
    and what was begun is finished. But one block of every round is reserved for the job that has waited for long, so
    that long grids come too. What a class looks at goes before all others, the guided grid first; the reserved block is
    of the others then. Strips are served in turn, that of the session served longest ago first.
    """
    sessions = list(sessions)
    classes = [session for session in sessions if session.followers >= FOLLOWERS and session.unfinished]
    first = max(classes, key=lambda session: session.followers, default=None)
    entries = [((*rank, job.frame.serial), s, job) for s in sessions for rank, job in _ranked(s, s is first)]
    entries.sort(key=lambda entry: entry[0])
    return [*_reserved(entries, number), *entries]


def _ranked(session: Session, of_class: bool) -> Iterator[tuple[tuple[Level, int, int], GridJob]]:
    has_image = session.has_image
    for place, job in enumerate(session.unfinished):
        if job in session.displayed:
            first = Level.CLASS if of_class else Level.DISPLAYED if has_image else Level.FIRST_IMAGE
            yield (first if place == 0 else Level.DISPLAYED, job.remaining, 0), job
        else:
            yield (Level.PREFETCH, place, session.last_served), job


def _reserved(entries: Sequence[Entry], number: int) -> Iterator[Entry]:
    """The entry of the reserved block, if any grid that is displayed waits."""
    level = entries[0][0][0] if entries else Level.PREFETCH
    if level is Level.PREFETCH:
        return
    if level is Level.CLASS:
        seen = {job for (own, *_), _, job in entries if own is level}
        entries = [entry for entry in entries if entry[0][0] is not Level.PREFETCH and entry[2] not in seen]
        if not entries:
            return
        level = entries[0][0][0]
    waiting = [entry for entry in entries if entry[0][0] is level]
    if level is Level.FIRST_IMAGE and number % REFINE_EVERY == 1:
        waiting = [e for e in entries if e[0][0] is Level.DISPLAYED and e[1].has_image] or waiting
    _, session, job = min(waiting, key=lambda entry: AGING * entry[1].waiting_since + entry[2].remaining)
    yield (Level.RESERVED, 0, 0, 0), session, job


def allocate_blocks(entries: Sequence[Entry], samples: int) -> dict[GridJob, int]:
    """How many blocks of which jobs a round takes, of one level: up to so many samples, but at least one block.

    Each session has one block before any has a second, so that none waits because another's grid is large. Beside the
    reserved block only one level is taken, since every sample makes the round longer for all. Where no session waits
    for its first image the round is half as long, for one may come.
    """
    blocks: dict[GridJob, int] = {}
    served: set[Session] = set()
    level = next((level for (level, *_), _, _ in entries if level is not Level.RESERVED), Level.PREFETCH)
    most = samples if level <= Level.FIRST_IMAGE else samples // 2
    for each_has_one in (False, True):
        for (current, *_), session, job in entries:
            room = (most - sum(min(n * BLOCK, job.request.pictures) for job, n in blocks.items())) // BLOCK
            if current > level or (blocks and room <= 0):
                break
            taken = blocks.get(job, 0)
            if each_has_one and current is level:
                blocks[job] = min(job.pending_blocks, taken + room)
            elif not taken and session not in served:
                blocks[job] = 1
                served.add(session)
    return blocks
