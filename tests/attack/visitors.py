"""Those whom an attack should not disturb: an innocent visitor at the page, and newcomers."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.attack.payloads import SMALLEST
from tests.benchmarks.session import Queued, Record, Session
from tests.benchmarks.startup import Page

PATIENCE = 10.0
"""Seconds for which a visitor waits for anything."""

LOOK = 0.5
"""Seconds for which the innocent visitor looks at a grid."""

RETRY = 0.2
"""Seconds after which a call that failed is made again."""

FAULTS = (httpx.HTTPError, RuntimeError, LookupError, ValueError)
"""What a call raises that is refused, or answered by something else than the page expects."""


def client(page: Page, address: str) -> httpx.AsyncClient:
    """The HTTP client of a visitor, whose address a proxy reports."""
    return httpx.AsyncClient(base_url=page.address, headers={"X-Forwarded-For": address}, timeout=PATIENCE)


class Innocent:
    """A visitor who asks for another class and other noises about once a second.

    waits: seconds to the finished guided grid of each; of one that does not come, the seconds until it was given up.
    faults: messages of the calls that failed on the way; each was made again.
    """

    def __init__(self, page: Page) -> None:
        self.waits: list[float] = []
        self.faults: list[str] = []
        self._page = page
        self._seeds = itertools.count(random.randrange(10**6, 10**9))

    async def look(self, seconds: float) -> None:
        """Open the page, change the class for some time, and leave."""
        until = time.perf_counter() + seconds
        async with client(self._page, "198.51.100.1") as http:
            session = Session(self._page, http, Record(), 0)
            while (begun := time.perf_counter()) < until:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._change(session), until + PATIENCE - begun)
                self.waits.append(time.perf_counter() - begun)
                await asyncio.sleep(LOOK)
            with suppress(*FAULTS):
                await session.leave()

    async def _change(self, session: Session) -> None:
        seed = next(self._seeds)
        while True:
            try:
                if not session.me:
                    await session.enter()
                await session.want(**{"class": seed % 10, "seed": seed})
                return
            except Queued:
                pass
            except RuntimeError as error:  # refused, or the session has expired: enter anew
                self.faults.append(str(error))
                session.me = {}
            except FAULTS as error:
                self.faults.append(repr(error))
            await asyncio.sleep(RETRY)


@dataclass
class Visit:
    """A newcomer's. refused: what was not given, with the reason. late: what did not come in time."""

    refused: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


async def newcomer(page: Page, number: int) -> Visit:
    """Use all there is, once, at the same time, from an address of one's own."""
    visit = Visit()
    async with client(page, f"192.0.2.{number}") as http:

        async def attempt(name: str, use: Callable[[Page, httpx.AsyncClient], Awaitable[Any]]) -> None:
            try:
                await asyncio.wait_for(use(page, http), PATIENCE)
            except (asyncio.TimeoutError, httpx.TimeoutException):
                visit.late.append(name)
            except FAULTS as error:
                visit.refused.append(f"{name}: {error or type(error).__name__}")

        await asyncio.gather(*(attempt(name, use) for name, use in USES.items()))
    return visit


async def open_page(_: Page, http: httpx.AsyncClient) -> None:
    """The page's HTML."""
    (await http.get("/")).raise_for_status()


async def first_picture(page: Page, http: httpx.AsyncClient) -> None:
    """A session, admitted, and its first grid."""
    session = Session(page, http, Record(), 0)
    until = time.perf_counter() + PATIENCE - 1
    await session.enter()
    while True:
        try:
            await session.want()
            break
        except Queued:
            if time.perf_counter() > until:
                raise
            await asyncio.sleep(RETRY)
    await session.leave()


async def scene(page: Page, http: httpx.AsyncClient) -> None:
    """The first scene of the 2-D lab."""
    body = {"session_hash": "newcomer", "component_id": page.tabs["toy2d"], "fn_name": "draw", "data": {}}
    reply = await http.post("/gradio_api/component_server", json=body)
    reply.raise_for_status()
    if not reply.json()["ok"]:
        raise RuntimeError(reply.json()["error"])


async def call(http: httpx.AsyncClient, name: str, data: list[Any]) -> Any:
    """What an endpoint for programs returns. Raises RuntimeError where it refuses."""
    begun = await http.post(f"/gradio_api/call/{name}", json={"data": data})
    begun.raise_for_status()
    events = await http.get(f"/gradio_api/call/{name}/{begun.json()['event_id']}")
    events.raise_for_status()
    kind, answer = events.text.strip().splitlines()[-2:]
    if kind != "event: complete":
        raise RuntimeError(answer)
    return json.loads(answer.removeprefix("data: "))[0]


USES: dict[str, Callable[[Page, httpx.AsyncClient], Awaitable[Any]]] = {
    "page": open_page,
    "picture": first_picture,
    "scene": scene,
    "stats": lambda _, http: call(http, "stats", []),
    "grid": lambda _, http: call(http, "grid", SMALLEST),
}
"""What a newcomer does."""
