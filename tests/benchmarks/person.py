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
    """What befell people. waits: seconds to a finished guided grid of each class and noise, at the wanted w or at the
    nearest rung of the strip, and whether it had to be drawn for them: of other noises than those that ship, and not
    seen by them before. exact: seconds to the wanted w itself, of those who did not change their mind before. both: the
    same to the unguided grid beside a guided one that had to be drawn. errors: what went wrong."""

    waits: list[tuple[float, bool]] = field(default_factory=list)
    exact: list[float] = field(default_factory=list)
    both: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        return [seconds for seconds, _ in self.waits]

    @property
    def drawn(self) -> list[float]:
        return [seconds for seconds, drawn in self.waits if drawn]


def wishes(seed: int, want: dict[str, Any]) -> Iterator[tuple[dict[str, Any], float]]:
    """What a person wants, one wish after the other, and the seconds that they look at each.

    First what the page shows at its start; then they change the class, w, or throw the dice.
    """
    choose = random.Random(seed)
    want = dict(want)
    while True:
        yield dict(want), choose.uniform(2, 8)
        name = choose.choice([*4 * ["class"], *4 * ["w"], "seed"])
        others = {
            "class": [n for n in range(10) if n != want["class"]],
            "seed": range(10_000),
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
        self.held: set[float] = set()  # w of the finished grids of the wanted class and noise
        self.unguided = False  # whether that of w = 0 beside them is finished
        self.drawn = False  # whether what they want had to be drawn
        self.had: set[tuple[Any, ...]] = set()  # class, noise and w of what they have seen
        self.missing = 0  # rungs of the strip that are not finished
        self.ahead = 0  # people who are served before their first picture
        self.began = 0.0  # when they began to want it

    async def call(self, function: str, data: dict[str, Any]) -> dict[str, Any]:
        body = {"session_hash": "person", "component_id": self.page.component, "fn_name": function, "data": data}
        url = f"{self.page.address}/gradio_api/component_server"
        reply = await self.client.post(url, json=body, timeout=PATIENCE)
        reply.raise_for_status()
        return reply.json()

    async def enter(self) -> None:
        self.me, self.seen = await self.call("open_session", {"query": {}}), {}
        self.shipped = self.me["request"]["seed"]  # of these noises strips are precomputed

    async def leave(self) -> None:
        await self.call("close_session", {"token": self.me["token"]})

    async def pull(self) -> None:
        ask = {"token": self.me["token"], "request": self.me["request"], "seen": self.seen, "ahead": self.ahead}
        reply = await self.call("poll", ask)
        if not reply["ok"]:
            raise RuntimeError(reply["error"])
        frames = [reply["frames"][-1], *reply["strip"]]
        if errors := [frame["error"] for frame in frames if frame["error"]]:
            raise RuntimeError(str(errors))
        self.missing, self.ahead = reply["missing"], reply["ahead"]
        self.held.update(frame["w"] for frame in frames if frame["done"])
        self.unguided = bool(reply["frames"][0]["done"])
        for frame in [*reply["frames"], *reply["strip"]]:
            self.seen[str(frame["serial"])] = frame["evaluations"]

    @property
    def rung(self) -> float:
        """The w of the strip's grid that is nearest to the wanted."""
        return float(min(self.me["model"]["ladder"], key=lambda each: abs(each - self.me["request"]["w"])))

    @property
    def served(self) -> bool:
        """Whether they see a finished guided grid of the wanted class and noise, as near to w as the strip has it."""
        w = self.me["request"]["w"]
        return any(abs(each - w) <= abs(self.rung - w) for each in self.held)

    async def want(self, **fields: Any) -> float:
        """Ask for something; returns the seconds to the first finished guided grid of it."""
        scene = {**self.me["request"], **fields, "w": self.me["request"]["w"]}
        if scene != self.me["request"]:  # as the page, they keep nothing of another class or noise
            self.held, self.seen, self.ahead = set(), {}, 0
        self.me["request"] |= fields
        key = self.me["request"]["class"], self.me["request"]["seed"], self.rung
        self.drawn = self.me["request"]["seed"] != self.shipped and key not in self.had
        self.began = time.perf_counter()
        await self.pull()
        while not self.served:
            await self.pull()
        wait = time.perf_counter() - self.began
        self.had.add(key)
        self.record.waits.append((wait, self.drawn))
        return wait

    async def look(self, seconds: float) -> None:
        """Stay, while the exact w and the strip come."""
        until, exact, both = time.perf_counter() + seconds, False, not self.drawn
        while (now := time.perf_counter()) < until:
            if not both and self.unguided:
                both = True
                self.record.both.append(now - self.began)
            if not exact and self.me["request"]["w"] in self.held:
                exact = True
                self.record.exact.append(now - self.began)
            if exact and not self.missing:  # as the page, they ask no more once everything is here
                await asyncio.sleep(until - now)
                break
            await self.pull()
            await asyncio.sleep(0.05)

    async def live(self, until: float) -> None:
        """Change class, seed and w like a person, and look at what comes."""
        await asyncio.sleep(2 * random.Random(self.seed).random())
        await self.enter()
        for fields, seconds in wishes(self.seed, self.me["request"]):
            if time.perf_counter() > until:
                break
            try:
                await self.want(**fields)
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
