"""The attacker's client: requests at a bounded rate, requests whose caller hangs up, connections that are held open."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

ADDRESS = {"X-Forwarded-For": "203.0.113.250, 198.51.100.66"}
"""The attacker's address as one proxy reports it, after a forged one that the attacker sent himself."""

IN_FLIGHT = 64
"""Requests of one attack that wait for their answer at once."""

Body = bytes | Mapping[str, Any] | list[Any]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Attacker:
    """One attacker of a running app.

    sent: requests and connections. answers: what became of them, each by its status, by "refused" where a function of
    the page answered with a sentence, by "hung up", or by the name of the exception.
    """

    def __init__(self, address: str, http: httpx.AsyncClient) -> None:
        """address: of the app, http://HOST:PORT."""
        self.sent = 0
        self.answers: Counter[str] = Counter()
        self._http, self._place = http, urlsplit(address)
        self._components: dict[str, int] = {}
        self.functions: dict[str, int] = {}

    async def look_up(self) -> None:
        """Read from the page which number each tab's component and each function for programs has."""
        config = (await self._http.get("/config")).json()
        found = ((part["id"], part.get("props", {}).get("elem_id")) for part in config["components"])
        self._components = {name: number for number, name in found if name}
        self.functions = {each["api_name"]: each["id"] for each in config["dependencies"] if each["api_name"]}

    async def send(
        self, path: str, body: Body = b"", method: str = "POST", kind: str = "application/json"
    ) -> httpx.Response | None:
        """Send one request and count its answer; None where none came."""
        self.sent += 1
        try:
            reply = await self._http.request(method, path, content=encoded(body), headers={"Content-Type": kind})
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[str(reply.status_code)] += 1
        return reply

    async def call(self, function: str, data: Any, tab: str = "explore") -> dict[str, Any]:
        """Call a function of a tab; returns its reply, or {ok: False}."""
        reply = await self.send("/gradio_api/component_server", self.payload(function, data, tab))
        found = reply.json() if reply and reply.status_code == 200 else {"ok": False}
        if reply and reply.status_code == 200 and not found["ok"]:
            self.answers["200"] -= 1
            self.answers["refused"] += 1
        return found

    def payload(self, function: str, data: Any, tab: str = "explore") -> dict[str, Any]:
        """The body of such a call."""
        component = self._components[tab]
        return {"session_hash": "attacker", "component_id": component, "fn_name": function, "data": data}

    def join(self, data: list[Any], session: str) -> dict[str, Any]:
        """The body of a call of the grid endpoint under the name of a session."""
        return {"data": data, "fn_index": self.functions["grid"], "session_hash": session}

    async def draw(self, data: list[Any]) -> None:
        """Call the grid endpoint as a program does, and wait for the grid."""
        reply = await self.send("/gradio_api/call/grid", {"data": data})
        if reply and reply.status_code == 200:
            await self.send(f"/gradio_api/call/grid/{reply.json()['event_id']}", method="GET")

    async def hang_up(self, path: str, body: Body = b"", after: float = 0.5, method: str = "POST") -> None:
        """Send one request and close its connection after some seconds, whether the answer has come or not."""
        content = encoded(body)
        head = self.head(path, method, f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n")

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(head + b"\r\n" + content)
            try:
                self._count(await asyncio.wait_for(reader.readline(), after))
            except asyncio.TimeoutError:
                self.answers["hung up"] += 1

        await self.connect(talk)

    def trickle(self, said: bytes) -> Talk:
        """What a slow connection does: it says this, then a byte a second until it is answered or closed."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            while True:
                with suppress(asyncio.TimeoutError):
                    self._count(await asyncio.wait_for(reader.readline(), 1))
                    return
                writer.write(b"x")

        return talk

    def _count(self, line: bytes) -> None:
        """Count the first line of an answer, "HTTP/1.1 200 OK"; empty where the other side closed the connection."""
        self.answers[line.decode().split(" ")[1] if line else "closed"] += 1

    def head(self, path: str, method: str = "GET", headers: str = "") -> bytes:
        """The first lines of a request, without the empty line that ends them."""
        address = "".join(f"{name}: {value}\r\n" for name, value in ADDRESS.items())
        return f"{method} {path} HTTP/1.1\r\nHost: {self._place.netloc}\r\n{address}{headers}".encode()

    async def connect(self, talk: Talk) -> None:
        """Open one connection, talk, and close it; what the other side ends is counted."""
        self.sent += 1
        try:
            reader, writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        except OSError as error:
            self.answers[type(error).__name__] += 1
            return
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            self.answers["closed"] += 1
        finally:
            writer.close()

    async def hold(self, number: int, talk: Talk) -> None:
        """Hold so many connections, and replace, a second later, each that ends."""

        async def one() -> None:
            while True:
                await self.connect(talk)
                await asyncio.sleep(1)

        await asyncio.gather(*(one() for _ in range(number)))

    async def repeat(self, rate: float, act: Callable[[int], Awaitable[Any]]) -> None:
        """Do act(0), act(1), … so many times a second at most, each without waiting for the one before."""
        clock = asyncio.get_running_loop().time
        begun, number, free = clock(), 0, asyncio.Semaphore(IN_FLIGHT)
        tasks: set[asyncio.Task[None]] = set()

        async def do(number: int) -> None:
            try:
                await act(number)
            finally:
                free.release()

        try:
            while True:
                await free.acquire()
                task = asyncio.create_task(do(number))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
                await asyncio.sleep(max(0, begun + number / rate - clock()))
        finally:
            for task in tasks:
                task.cancel()


def encoded(body: Body) -> bytes:
    """The bytes of a body; JSON unless it is bytes already."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()
