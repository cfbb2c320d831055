"""Client sessions of a running app: they speak the page's protocol, change their demand, pause, and leave."""

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
    """Measurements of all sessions.

    waits: for each demand, seconds to a finished guided grid of its class and noise, at the demanded w or at the
    nearest rung of the strip, and whether it had to be drawn: of other noise than what ships, and new to the session.
    exact: seconds to the demanded w itself, where the demand did not change before. both: the same to the unguided
    grid, of demands that had to be drawn. errors: messages.
    """

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


def demands(seed: int, want: dict[str, Any]) -> Iterator[tuple[dict[str, Any], float]]:
    """The demands of one session in turn, each with the seconds until the next.

    The first is what the page shows at its start; then the class, w or the seed changes.
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


class Queued(RuntimeError):
    """The session waits for a place; the message says where."""


class Session:
    """A session at the page of a running app. Its calls raise RuntimeError, with the app's sentence, if refused."""

    def __init__(self, page: Page, client: httpx.AsyncClient, record: Record, seed: int) -> None:
        self.page, self.client, self.record = page, client, record
        self.seed = seed
        self.me: dict[str, Any] = {}
        self.seen: dict[str, int] = {}
        self.held: set[float] = set()  # w of the finished grids of the demanded class and noise
        self.unguided = False  # whether that of w = 0 beside them is finished
        self.drawn = False  # whether the demand had to be drawn
        self.had: set[tuple[Any, ...]] = set()  # class, noise and w of earlier demands
        self.missing = 0  # rungs of the strip that are not finished
        self.ahead = 0  # sessions that are served before its first picture
        self.began = 0.0  # when the demand was made

    async def call(self, function: str, data: dict[str, Any]) -> dict[str, Any]:
        body = {"session_hash": "benchmark", "component_id": self.page.component, "fn_name": function, "data": data}
        url = f"{self.page.address}/gradio_api/component_server"
        reply = await self.client.post(url, json=body, timeout=PATIENCE)
        reply.raise_for_status()
        return reply.json()

    async def enter(self) -> None:
        self.me, self.seen = await self.call("open_session", {"query": {}}), {}
        if not self.me["ok"]:
            raise RuntimeError(self.me["error"])
        self.shipped = self.me["request"]["seed"]  # of this noise strips are precomputed

    async def leave(self) -> None:
        await self.call("close_session", {"token": self.me["token"]})

    async def poll(self) -> None:
        ask = {"token": self.me["token"], "request": self.me["request"], "seen": self.seen, "ahead": self.ahead}
        reply = await self.call("poll", ask)
        if not reply["ok"]:
            raise RuntimeError(reply["error"])
        if reply["queue_position"]:
            raise Queued(f"queued at position {reply['queue_position']}")
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
        """The w of the strip that is nearest to the demanded one."""
        return float(min(self.me["model"]["ladder"], key=lambda each: abs(each - self.me["request"]["w"])))

    @property
    def served(self) -> bool:
        """Whether there is a finished guided grid of the demand, as near to its w as the strip has it."""
        w = self.me["request"]["w"]
        return any(abs(each - w) <= abs(self.rung - w) for each in self.held)

    async def want(self, **fields: Any) -> float:
        """Change the demand; returns the seconds to its first finished guided grid."""
        scene = {**self.me["request"], **fields, "w": self.me["request"]["w"]}
        if scene != self.me["request"]:  # as the page, keep nothing of another class or noise
            self.held, self.seen, self.ahead = set(), {}, 0
        self.me["request"] |= fields
        key = self.me["request"]["class"], self.me["request"]["seed"], self.rung
        self.drawn = self.me["request"]["seed"] != self.shipped and key not in self.had
        self.began = time.perf_counter()
        await self.poll()
        while not self.served:
            await self.poll()
        wait = time.perf_counter() - self.began
        self.had.add(key)
        self.record.waits.append((wait, self.drawn))
        return wait

    async def wait(self, seconds: float) -> None:
        """Poll for some time, while the exact w and the strip arrive."""
        until, exact, both = time.perf_counter() + seconds, False, not self.drawn
        while (now := time.perf_counter()) < until:
            if not both and self.unguided:
                both = True
                self.record.both.append(now - self.began)
            if not exact and self.me["request"]["w"] in self.held:
                exact = True
                self.record.exact.append(now - self.began)
            if exact and not self.missing:  # as the page, stop polling once everything is here
                await asyncio.sleep(until - now)
                break
            await self.poll()
            await asyncio.sleep(0.05)

    async def run(self, until: float) -> None:
        """Enter, make one demand after the other until a time, and leave."""
        await asyncio.sleep(2 * random.Random(self.seed).random())
        await self.enter()
        for fields, seconds in demands(self.seed, self.me["request"]):
            if time.perf_counter() > until:
                break
            try:
                await self.want(**fields)
                await self.wait(seconds)
            except (httpx.HTTPError, RuntimeError, KeyError) as error:
                self.record.errors.append(repr(error))
        await self.leave()


class ProcessMeter:
    """CPU seconds of a process and its children, and its memory."""

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
