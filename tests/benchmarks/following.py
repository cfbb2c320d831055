"""A follower of a class as the benchmark has it: a page's stream, read without a browser."""

import asyncio
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

FRAME = re.compile(
    rb'\{"serial": \d+, "w": ([-\d.e]+), "classes": \[(\d+)\], "samples": \d+, "seed": (\d+), "evaluations": \d+,'
    rb' "total": \d+, "done": true'
)
SCENE = re.compile(rb'"scene": "(\w+)"')

Picture = tuple[int, int, float]
"""Class, seed and w of a guided grid."""


@dataclass
class Change:
    """Something that the teacher's page shows from ``at`` on. picture: the guided grid that a follower should show.
    kind: "there", "dragged" or "drawn". shown: when each follower had it."""

    number: int
    picture: Picture
    kind: str
    at: float
    shown: list[float] = field(default_factory=list)


class Follower:
    """changes: what the teacher has shown, by number; the newest is the last."""

    def __init__(self, address: str, room: str, changes: list[Change], errors: list[str]) -> None:
        self._address, self._room = urlsplit(address), room
        self.token = secrets.token_urlsafe(16)
        self._changes, self._errors = changes, errors
        self._held: set[Picture] = set()
        self._scene = b""
        self._waits: Change | None = None
        self.question = asyncio.Event()
        self.bytes = 0

    async def run(self) -> None:
        """Read the stream until it is cancelled."""
        try:
            await self._read()
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            self._errors.append(repr(error))

    async def _read(self) -> None:
        host, port = self._address.hostname, self._address.port
        reader, writer = await asyncio.open_connection(host, port, limit=2**22)
        body = json.dumps({"id": self._room, "token": self.token}).encode()
        head = f"POST /room/follow HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        try:
            if b" 200 " not in await reader.readline():
                raise ValueError("the stream was refused")
            while (await reader.readline()).strip():
                pass
            rest = b""
            while size := int(await reader.readline(), 16):
                self.bytes += size
                *events, rest = (rest + (await reader.readexactly(size + 2))[:-2]).split(b"\n\n")
                for event in events:
                    if event.startswith(b"data: "):
                        self._take(event)
            raise ValueError("the stream ended")
        finally:
            writer.close()

    def _take(self, event: bytes) -> None:
        if event.startswith(b'data: {"instance"'):
            state = json.loads(event[6:])
            if state["question"]:
                self.question.set()
            if numbers := parse_qs(state["address"]).get("?change"):
                self._waits = self._changes[int(numbers[0])]
        elif scene := SCENE.search(event):
            if scene[1] != self._scene:
                self._scene = scene[1]
                self._held.clear()
            self._held |= {(int(label), int(seed), float(w)) for w, label, seed in FRAME.findall(event)}
        if self._waits and self._waits.picture in self._held:
            self._waits.shown.append(time.time())
            self._waits = None
