"""What an attack costs the app and its visitors, and the goals."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil

from tests.attack.payloads import HEAVIEST_REPLY
from tests.attack.visitors import FAULTS, PATIENCE, Innocent, call, client, newcomer
from tests.benchmarks.startup import ROOT, Page

SLOWER = 3.0
"""Times the undisturbed 95th percentile that the innocent visitor's may be."""

HIGHEST, LEFT = 1200.0, 100.0
"""Megabytes that the app may take at its height, and more than before, its cache of finished grids apart, after."""

STOP = 3000.0
"""Megabytes at which an attack is ended, for the sake of the other programs on this machine."""

INTERVAL = 0.1
"""Seconds between two looks at the app's memory and open files."""

IDLE = 0.5
"""Share of a core below which the app has no work left."""

SETTLE = 40.0
"""Seconds that the app has, after an attack of a minute, to give back its memory; sessions expire after 30."""


@dataclass
class Usage:
    """Of the app's process: memory in megabytes, of these its cache of finished grids, and open files."""

    memory: float = 0
    cached: float = 0
    open_files: int = 0


@dataclass
class Row:
    """One attack. Times are in seconds.

    sent, answers: the attacker's requests and what became of them. before, height, after: what the app takes.
    busy: the share of the last second after the attack in which the app computed, of one core.
    calm, waits: the innocent visitor's, before and during the attack; faults: its calls that failed.
    newcomers: how many came; refused, late: what they did not get.
    """

    attack: str
    sent: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    before: Usage = field(default_factory=Usage)
    height: Usage = field(default_factory=Usage)
    after: Usage = field(default_factory=Usage)
    busy: float = 0
    log_bytes: int = 0
    tracebacks: int = 0
    files_left: int = 0
    calm: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    newcomers: int = 0
    refused: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    died: bool = False

    @property
    def left(self) -> float:
        """Megabytes that the attack left behind, those of the cache apart."""
        return (self.after.memory - self.after.cached) - (self.before.memory - self.before.cached)

    def missed(self, undisturbed: float | None) -> list[str]:
        """The goals that were missed. undisturbed: the innocent visitor's 95th percentile without an attack, or None
        where times do not count."""
        goals = {
            "app ended": not self.died,
            "memory height": self.height.memory <= HIGHEST,
            "tracebacks": not self.tracebacks,
            "files left": not self.files_left,
            "newcomers refused": not self.refused,
        }
        if undisturbed is not None:
            goals["memory kept"] = self.left <= LEFT
            goals["newcomers unserved"] = not self.late
            goals["innocent p95"] = percentile(self.waits, 95) <= SLOWER * undisturbed
        return [goal for goal, reached in goals.items() if not reached]


def percentile(values: list[float], share: float) -> float:
    """Of at least one value."""
    return float(np.percentile(values, share))


async def warm_up(page: Page) -> None:
    """Have every model loaded and draw, so that the memory before an attack is that of an app in use."""
    async with client(page, "192.0.2.254") as http:
        http.timeout = httpx.Timeout(6 * PATIENCE)
        for model in (await call(http, "models", []))["models"]:
            await call(http, "grid", [*HEAVIEST_REPLY[:-2], model["hash"], ""])


async def measure(page: Page, name: str, seconds: float, calm: float, newcomers: int, scratch: Path) -> Row:
    """Make one attack on a running app for some time, after some calm seconds of the innocent visitor alone.

    newcomers: how many come meanwhile. scratch: the folder of the app's temporary files.
    """
    row, process, innocent = Row(name, newcomers=newcomers), psutil.Process(page.app.pid), Innocent(page)
    if calm:
        await innocent.look(calm)
    row.calm, innocent.waits = innocent.waits, []
    row.before, logged, filed = await usage(page, process), len(page.log), count_files(scratch)
    command = [sys.executable, "-m", "tests.attack.attacker", name, page.address, str(seconds + 6 * PATIENCE)]
    attacker = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert attacker.stdout
    await attacker.stdout.readline()  # that it has begun

    async def watch() -> None:
        while True:
            with suppress(psutil.Error):  # it has ended
                row.height.memory = max(row.height.memory, memory(process))
                row.height.open_files = max(row.height.open_files, process.num_fds())
            if row.height.memory > STOP:
                stop(attacker)
            await asyncio.sleep(INTERVAL)

    async def arrive(number: int) -> None:
        await asyncio.sleep(seconds * number / (newcomers + 1))
        visit = await newcomer(page, number)
        row.refused += visit.refused
        row.late += visit.late

    watching = asyncio.create_task(watch())
    await asyncio.gather(innocent.look(seconds), *(arrive(number) for number in range(1, newcomers + 1)))
    stop(attacker)
    counts = json.loads((await attacker.communicate())[0])
    row.sent, row.answers, row.waits, row.faults = counts["sent"], counts["answers"], innocent.waits, innocent.faults
    watching.cancel()
    row.died = page.app.poll() is not None
    if not row.died:
        await settle(page, process, row, min(SETTLE, max(2.0, SETTLE * seconds / 60)))
    log = page.log[logged:]
    row.log_bytes, row.tracebacks = len(log), log.count("Traceback (most recent call last)")
    row.files_left = count_files(scratch) - filed
    return row


async def settle(page: Page, process: psutil.Process, row: Row, seconds: float) -> None:
    """Wait until the memory is given back and the work is done, for some time at most."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        computed, begun = sum(process.cpu_times()[:2]), time.perf_counter()
        await asyncio.sleep(1)
        row.busy = (sum(process.cpu_times()[:2]) - computed) / (time.perf_counter() - begun)
        row.after = await usage(page, process, row.before.cached)
        if row.left <= LEFT / 2 and row.busy < IDLE:
            break


async def usage(page: Page, process: psutil.Process, cached: float = 0) -> Usage:
    """What the app takes now. cached: megabytes of its cache, where it does not say."""
    async with client(page, "192.0.2.254") as http:
        with suppress(*FAULTS, asyncio.TimeoutError):
            cached = (await asyncio.wait_for(call(http, "stats", []), PATIENCE))["cached_bytes"] / 2**20
    return Usage(memory(process), cached, process.num_fds())


def memory(process: psutil.Process) -> float:
    """Megabytes of a process."""
    return process.memory_info().rss / 2**20


def count_files(folder: Path) -> int:
    """Files below a folder."""
    return sum(path.is_file() for path in folder.rglob("*"))


def stop(attacker: asyncio.subprocess.Process) -> None:
    """Have an attacker print what it counted, and end."""
    with suppress(ProcessLookupError):
        attacker.terminate()
