"""python -m tests.benchmarks.classroom [--checkpoint FOLDER] [--sessions 28] [--seconds 120]

A class of thirty on this machine: sessions that speak the page's protocol and two browsers drive a running ``app.py``,
each changing class, seed and w and then pausing. As many sessions then drive the usual app, whole jobs one by one
through Gradio's queue. Prints one table; nothing is asserted.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from cfg_core.grids.request import GridRequest
from cfg_core.program import print_any_text
from tests.benchmarks.live import CHANGE_CLASS, script
from tests.benchmarks.session import ProcessMeter, Record, Session, demands
from tests.benchmarks.startup import PATIENCE, ROOT, Page, free_port, running
from tests.browser.conftest import launch

BROWSERS = 2


def stats(page: Page) -> dict[str, Any]:
    """The engine's statistics."""
    with httpx.Client(base_url=f"{page.address}/gradio_api", timeout=PATIENCE) as client:
        return call(client, "stats", [])


def call(client: httpx.Client, name: str, data: list[Any]) -> Any:
    event = client.post(f"/call/{name}", json={"data": data}).json()["event_id"]
    with client.stream("GET", f"/call/{name}/{event}") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: ") and line != "data: null":
                return json.loads(line.removeprefix("data: "))[0]
    raise RuntimeError(f"{name} gave no answer")


async def alone(page: Page, seconds: float, record: Record) -> None:
    """One session that changes the seed whenever the strip is full: the most that one can draw."""
    async with httpx.AsyncClient() as client:
        session = Session(page, client, record, 0)
        await session.enter()
        until, seed = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            await session.want(seed=(seed := seed + 1))
            while session.missing:
                await session.poll()
        await session.leave()


async def crowd(page: Page, sessions: int, seconds: float, record: Record, meter: ProcessMeter) -> float:
    """Many sessions for some time; returns the first wait of one that enters in the middle of it."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as client:
        until = time.perf_counter() + seconds
        watching = asyncio.create_task(meter.watch())
        tasks = [asyncio.create_task(Session(page, client, record, n).run(until)) for n in range(sessions)]
        await asyncio.sleep(seconds / 2)
        late = Session(page, client, record, sessions)
        await late.enter()
        wait = await late.want(seed=123_456)
        await late.leave()
        await asyncio.gather(*tasks)
        watching.cancel()
    return wait


def browse(page: Page, seconds: float, record: Record) -> None:
    """Sessions in a real browser; its failures are recorded."""
    try:
        _browse(page, seconds, record)
    except PlaywrightError as error:
        record.errors.append(repr(error))


def _browse(page: Page, seconds: float, record: Record) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        tabs = [browser.new_page(viewport={"width": 1280, "height": 960}) for _ in range(BROWSERS)]
        until = time.perf_counter() + seconds
        for tab in tabs:
            tab.on("pageerror", lambda error: record.errors.append(str(error)))
            tab.goto(f"{page.address}/?seed={random.randrange(10_000)}")
            tab.wait_for_function("document.querySelector('.explore')?.dataset.state === 'idle'", timeout=120_000)
        while time.perf_counter() < until:
            for tab in tabs:
                now = tab.locator("input.class").input_value()
                label = random.choice([n for n in range(10) if str(n) != now])
                record.waits.append((tab.evaluate(script(CHANGE_CLASS), label), True))
                tab.wait_for_timeout(random.uniform(500, 2500))
        browser.close()


def baseline(checkpoint: str, sessions: int, seconds: float, record: Record) -> None:
    """As many sessions at the app that draws whole jobs one by one."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.baseline", checkpoint, str(port)]
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run(number: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/gradio_api", timeout=PATIENCE) as client:
            start = GridRequest("", (0,))
            for want, pause in demands(number, {"class": start.classes[0], "seed": start.seed, "w": start.w[0]}):
                begun = time.perf_counter()
                if begun > until:
                    break
                try:
                    (picture, *_) = call(client, "draw", [want["class"], want["seed"], want["w"]])
                    client.get(picture["image"]["url"]).raise_for_status()
                    record.waits.append((time.perf_counter() - begun, True))
                except (httpx.HTTPError, RuntimeError) as error:
                    record.errors.append(repr(error))
                time.sleep(pause)

    try:
        while app.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{port}/config", timeout=1)
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        until = time.perf_counter() + seconds
        threads = [threading.Thread(target=run, args=(n,)) for n in range(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        app.kill()
        app.wait()


def main() -> None:
    print_any_text()
    p = argparse.ArgumentParser("python -m tests.benchmarks.classroom", description="A class of thirty.")
    p.add_argument("--checkpoint", default="checkpoints/fashion-mnist", help="a folder, or a Hub name owner/name")
    p.add_argument("--sessions", type=int, default=28, help=f"beside {BROWSERS} browsers")
    p.add_argument("--seconds", type=float, default=120)
    options = p.parse_args()
    checkpoint = str(Path(options.checkpoint).resolve())
    single, many, browsers, usual = Record(), Record(), Record(), Record()
    with running(checkpoint) as page:
        meter = ProcessMeter(page.app.pid)
        rates = []
        for phase in ("alone", "crowd"):
            made, used = stats(page)["evaluations"], meter.cpu()
            if phase == "alone":
                asyncio.run(alone(page, options.seconds / 6, single))
            else:
                thread = threading.Thread(target=browse, args=(page, options.seconds, browsers))
                thread.start()
                late = asyncio.run(crowd(page, options.sessions, options.seconds, many, meter))
                thread.join()
            rates.append((stats(page)["evaluations"] - made) / (meter.cpu() - used))
        hits = stats(page)["cache_hits"]
        tracebacks = page.log.count("Traceback")
    baseline(checkpoint, options.sessions + BROWSERS, options.seconds, usual)
    waits, drawn = many.seconds + browsers.seconds, many.drawn + browsers.drawn
    ours, theirs = np.percentile(waits, (50, 95)), np.percentile(usual.seconds, (50, 95))
    table = Table("measure", "ours", "one by one", "ratio", "target", title=f"{options.sessions + BROWSERS} sessions")
    names = "median to the first finished guided grid", "p95"
    for name, a, b in zip(names, ours, theirs, strict=True):
        table.add_row(name, f"{a:.2f} s", f"{b:.2f} s", f"{b / a:.1f} × sooner", "≥ 5" if name == "p95" else "")
    p50, p95 = np.percentile(drawn, (50, 95))
    table.add_row("median and p95 of what was neither in the cache nor precomputed", f"{p50:.2f} s, {p95:.2f} s")
    both = np.percentile(many.both, (50, 95)) if many.both else (np.nan, np.nan)
    table.add_row("median and p95 of those to the unguided grid too", f"{both[0]:.2f} s, {both[1]:.2f} s")
    table.add_row("of those, had it before the next demand", f"{len(many.both) / max(1, len(many.drawn)):.0%}")
    exact = np.percentile(many.exact, (50, 95))
    table.add_row("median and p95 to the exact w", f"{exact[0]:.2f} s, {exact[1]:.2f} s")
    table.add_row("of the demands, reached the exact w before the next", f"{len(many.exact) / len(many.waits):.0%}")
    table.add_row("demands, and those that had to be drawn", f"{len(waits)}, {len(drawn)}", f"{len(usual.waits)}")
    table.add_row("grids found in the cache, those of strips among them", f"{hits}")
    table.add_row("a newcomer, over the median of what was drawn", f"{late:.2f} s", "", f"{late / p50:.2f}", "≤ 2")
    rate = f"{rates[1]:.0f}, alone {rates[0]:.0f}"
    table.add_row("evaluations a CPU second", rate, "", f"{rates[1] / rates[0]:.2f}", "≥ 0.9")
    table.add_row("peak memory", f"{meter.peak / 2**20:.0f} MB")
    errors = [*single.errors, *many.errors, *browsers.errors, *tracebacks * ["a traceback in the app's log"]]
    table.add_row("errors", str(len(errors)), str(len(usual.errors)), "", "0")
    Console().print(table, *errors[:3])


if __name__ == "__main__":
    main()
