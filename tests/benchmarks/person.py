"""People as a running app meets them: they speak the page's protocol, change their minds, look, and leave."""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from tests.benchmarks.startup import PATIENCE, Page


@dataclass
class Record:
    """What befell people: seconds to each first finished guided grid, and what went wrong."""

    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def wishes(seed: int) -> Iterator[tuple[dict[str, Any], float]]:
    """What a person wants, one wish after the other, and the seconds that they look at each.

    They start with noises of their own; then they change class, w or the noises.
    """
    choose = random.Random(seed)
    want = {"class": choose.randrange(10), "seed": choose.randrange(10**9), "w": round(8 * choose.random(), 1)}
    while True:
        yield dict(want), choose.uniform(1, 5)
        name = choose.choice(["class", "class", "seed", "w", "w"])
        others = {
            "class": [n for n in range(10) if n != want["class"]],
            "seed": range(10**9),
            "w": [n / 10 for n in range(81)],
        }
        want[name] = choose.choice(others[name])


class Person:
    """Somebody at the page of a running app."""

    def __init__(self, page: Page, client: httpx.AsyncClient, record: Record, seed: int) -> None:
        self.page, self.client, self.record = page, client, record
        self.seed = seed
        self.me: dict[str, Any] = {}
        self.seen: dict[str, int] = {}

    async def call(self, function: str, data: dict[str, Any]) -> dict[str, Any]:
        body = {"session_hash": "person", "component_id": self.page.component, "fn_name": function, "data": data}
        url = f"{self.page.address}/gradio_api/component_server"
        reply = await self.client.post(url, json=body, timeout=PATIENCE)
        reply.raise_for_status()
        return reply.json()

    async def enter(self) -> None:
        self.me, self.seen = await self.call("enter", {"query": {}}), {}

    async def leave(self) -> None:
        await self.call("leave", {"token": self.me["token"]})

    async def pull(self) -> list[dict[str, Any]]:
        reply = await self.call("pull", {"token": self.me["token"], "want": self.me["want"], "seen": self.seen})
        if not reply["ok"]:
            raise RuntimeError(reply["error"])
        for frame in [*reply["frames"], *reply["strip"]]:
            self.seen[str(frame["serial"])] = frame["evaluations"]
        return reply["frames"]

    async def want(self, **fields: Any) -> float:
        """Ask for something; returns the seconds to the finished guided grid."""
        self.me["want"] |= fields
        begun, frames = time.perf_counter(), []
        while not (frames and frames[-1]["done"]):
            frames = await self.pull()
            if any(frame["error"] for frame in frames):
                raise RuntimeError(str([frame["error"] for frame in frames]))
        return time.perf_counter() - begun

    async def look(self, seconds: float) -> None:
        """Stay, while the strip fills."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            await self.pull()
            await asyncio.sleep(0.05)

    async def live(self, until: float) -> None:
        """Change class, seed and w like a person, and look at what comes."""
        await asyncio.sleep(2 * random.Random(self.seed).random())
        await self.enter()
        for fields, seconds in wishes(self.seed):
            if time.perf_counter() > until:
                break
            try:
                self.record.waits.append(await self.want(**fields))
                await self.look(seconds)
            except (httpx.HTTPError, RuntimeError, KeyError) as error:
                self.record.errors.append(repr(error))
        await self.leave()


class Meter:
    """CPU seconds and memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.peak = 0

    def cpu(self) -> float:
        times = [process.cpu_times() for process in (self.process, *self.process.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    def memory(self) -> int:
        used = self.process.memory_info().rss
        self.peak = max(self.peak, used)
        return used

    async def watch(self) -> None:
        while True:
            self.memory()
            await asyncio.sleep(0.5)
