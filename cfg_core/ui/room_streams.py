"""The streams of a class, as server-sent events: one a member, of states, pictures and shown answers, and one of the
teacher's page, of counts and answers. A beat tells a page that its connection still stands."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse

from cfg_core.serving.rooms import PHASES, Member, Room, Rooms
from cfg_core.ui.class_pictures import ClassPictures, Sent

BEAT, GATHERED = 1.5, 0.2
"""Seconds after which a stream without news sends a beat, and in which the teacher's gathers what has changed."""

HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


class RoomStreams:
    """instance: tells this process from the one before a restart."""

    def __init__(self, rooms: Rooms, instance: str) -> None:
        self._rooms, self._instance = rooms, instance
        self._states: dict[str, tuple[str, bytes]] = {}

    def of_member(
        self, room: Room, pictures: ClassPictures, member: Member, *, exploring: bool, at: str, sent: Sent, once: bool
    ) -> StreamingResponse:
        """exploring: no pictures are sent. at: the state that the page has, as the last one named it. once: end after
        the first news or beat, for a page behind a proxy that passes a reply on when it is whole."""

        async def events() -> AsyncIterator[bytes]:
            number, changed, known = self._rooms.enter(room, member, exploring), _Changes(room.followers), at
            try:
                while not room.ended and member.newest == number:
                    now = self._at(room, pictures)
                    news = b"" if now == known else self._state(room, pictures, now)
                    known = now
                    if not exploring and (frames := pictures.news_for(sent)):
                        news += b"data: " + frames + b"\n\n"
                    yield news or b":\n\n"
                    if (once and news) or (not await changed.wait(BEAT) and once):
                        break
                if room.ended:
                    yield self._event({"ended": True})
            finally:
                changed.end()
                self._rooms.leave(room, member)

        return _stream(events())

    def of_teacher(self, room: Room, secret: str) -> StreamingResponse:
        """Of {following, exploring}, and {question, answers: tag → value} with those that are new."""

        async def events() -> AsyncIterator[bytes]:
            changed = _Changes(room.watchers)
            told: dict[str, dict[str, str]] = {}
            counts: dict[str, int] = {}
            try:
                while not room.ended:
                    news = b""
                    if room.counts != counts:
                        counts = room.counts
                        news += self._event({"counts": counts})
                    for question, answers in room.answers.items():
                        before = told.get(question, {})
                        if new := {tag: json.loads(each) for tag, each in answers.items() if before.get(tag) != each}:
                            told[question] = dict(answers)
                            news += self._event({"question": question, "answers": new})
                    yield news or b":\n\n"
                    await asyncio.sleep(GATHERED)
                    await changed.wait(BEAT)
                    self._rooms.led_by(secret)
                yield self._event({"ended": True})
            finally:
                changed.end()

        return _stream(events())

    def forget(self, room: Room) -> None:
        """It has ended."""
        self._states.pop(room.id, None)

    def _at(self, room: Room, pictures: ClassPictures) -> str:
        """Names all that ``_state`` tells."""
        answered = room.answered if room.state.phase != PHASES[0] else 0
        return f"{self._instance}.{room.version}.{pictures.key}.{answered}"

    def _state(self, room: Room, pictures: ClassPictures, at: str) -> bytes:
        known, event = self._states.get(room.id, ("", b""))
        if known != at:
            state = room.state
            event = self._event(
                {
                    "at": at,
                    "address": state.address,
                    "blank": state.blank,
                    "question": state.question,
                    "phase": state.phase,
                    "pictures": pictures.key,
                    "answers": room.shown_answers,
                }
            )
            self._states[room.id] = at, event
        return event

    def _event(self, value: dict[str, Any]) -> bytes:
        told = {"instance": self._instance, **value}
        return b"data: " + json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


class _Changes:
    """Waits for changes. listeners: functions that are called at each."""

    def __init__(self, listeners: set[Callable[[], None]]) -> None:
        self._listeners, self._event = listeners, asyncio.Event()
        listeners.add(self._event.set)

    async def wait(self, seconds: float) -> bool:
        """Until there is a change since the last wait, or for so many seconds; returns whether there is one."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        self._event.clear()
        return True

    def end(self) -> None:
        self._listeners.discard(self._event.set)


def _stream(events: AsyncIterator[bytes]) -> StreamingResponse:
    return StreamingResponse(events, headers=HEADERS, media_type="text/event-stream")
