"""python -m tests.benchmarks.follow [--checkpoint FOLDER] [--followers 98] [--seconds 600]

A class on this machine: a teacher who changes class, w and noise, drags and asks, followers that speak the page's
protocol, and two browsers, at a running ``app.py``. Prints the time from the teacher's change to the followers'
picture; nothing is asserted.
"""

import argparse
import asyncio
import itertools
import json
import random
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from cfg_core.program import print_any_text
from tests.benchmarks.following import Change, Follower, Picture
from tests.benchmarks.session import ProcessMeter, Record, Session
from tests.benchmarks.startup import PATIENCE, Page, running
from tests.browser.conftest import launch

BROWSERS = 2
LATE = 15.0
"""Seconds after which a follower that does not show a change counts as an error."""

WATCH = """() => {
  const canvas = document.querySelector('.pane.guided canvas'), pane = canvas.closest('.pane');
  window.seen = [];
  let before = '';
  (function look() {
    const {classes, seed, w, done} = canvas.dataset;
    const now = [classes, seed, Number(w), done, pane.matches('.stale')].join();
    if (now !== before) window.seen.push([before = now, Date.now()]);
    requestAnimationFrame(look);
  })();
}"""


def lesson(choose: random.Random) -> Iterator[tuple[str, dict[str, Any], float]]:
    """What the teacher does in turn: the kind of change, its fields, seconds until the next; "ask" is a question."""
    for number in itertools.count(1):
        label = choose.randrange(10)
        yield "there", {"class": label, "seed": 7, "w": 3.0}, 4.0  # of this noise strips are shipped
        for w in choose.sample([0.0, 1.0, 2.0, 4.0, 8.0], 2):
            yield "there", {"w": w}, 1.5
        for n in range(20):
            yield "dragged", {"w": [0.5, 1.0, 1.5, 2.0, 3.0, 4.0][n % 6]}, 0.1
        yield "ask", {}, 3.0
        yield "drawn", {"w": round(choose.uniform(0, 4), 2) + 0.005}, 2.5
        yield "drawn", {"seed": 1000 + number, "w": 3.0}, 4.0


class Teacher:
    """Leads the class, and draws what it shows as a page of its own does."""

    def __init__(self, page: Page, client: httpx.AsyncClient, changes: list[Change], errors: list[str]) -> None:
        self.page, self.client, self.changes, self.errors = page, client, changes, errors
        self.secret = secrets.token_urlsafe(16)
        self.session = Session(page, client, Record(), 0)
        self.question = ""
        self.polling: asyncio.Task[None] | None = None

    async def call(self, name: str, **fields: Any) -> dict[str, Any]:
        url = f"{self.page.address}/room/{name}"
        reply = await self.client.post(url, json={"secret": self.secret, **fields}, timeout=PATIENCE)
        reply.raise_for_status()
        return reply.json()

    async def open(self) -> dict[str, Any]:
        await self.session.enter()
        return await self.call("open", page=f"{self.page.address}/")

    async def show(self, kind: str, fields: dict[str, Any]) -> None:
        request = self.session.me["request"] = {**self.session.me["request"], **fields}
        picture: Picture = (request["class"], request["seed"], float(request["w"]))
        self.changes.append(Change(len(self.changes), picture, kind, time.time()))
        await self.lead()
        if self.polling:
            self.polling.cancel()
        self.polling = asyncio.create_task(self.session.wait(20))

    async def lead(self) -> None:
        request = self.session.me["request"]
        fields = "&".join(f"{name}={value}" for name, value in request.items())
        pictures = {"request": request, "reference": {**request, "w": 0}}
        address = f"?change={len(self.changes) - 1}&{fields}"
        await self.call("lead", address=address, question=self.question, pictures=pictures)


async def answer(follower: Follower, client: httpx.AsyncClient, page: Page, room: str, question: str) -> bool:
    """Whether the server has kept it."""
    await asyncio.sleep(2 * random.random())
    fields = {"id": room, "token": follower.token, "question": question, "answer": round(8 * random.random(), 2)}
    reply = await client.post(f"{page.address}/room/answer", json=fields, timeout=PATIENCE)
    return reply.status_code == 200 and reply.json()["kept"]


async def teach(
    page: Page, count: int, seconds: float, changes: list[Change], errors: list[str], link: list[str]
) -> int:
    """Hold a lesson; returns how many answers that were acknowledged the teacher's stream did not have."""
    pool = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=pool) as client:
        teacher = Teacher(page, client, changes, errors)
        room = (opened := await teacher.open())["id"]
        await teacher.show("first", {"seed": 7})
        followers = [Follower(page.address, room, changes, errors) for _ in range(count)]
        tasks = [asyncio.create_task(follower.run()) for follower in followers]
        link.append(opened["link"])
        await asyncio.sleep(12)  # the browsers come too
        until, acknowledged = time.time() + seconds, 0
        for kind, fields, pause in lesson(random.Random(0)):
            if time.time() > until:
                break
            if kind == "ask":
                teacher.question = f"question {len(changes)}"
                await teacher.lead()
                kept = await asyncio.gather(*(answer(f, client, page, room, teacher.question) for f in followers))
                acknowledged += sum(kept)
                errors += ["an answer was refused"] * (len(kept) - sum(kept))
            else:
                await teacher.show(kind, fields)
            await asyncio.sleep(pause)
        for task in tasks:
            task.cancel()
        lost = acknowledged - await answers(teacher)
        await teacher.call("close")
        return lost


async def answers(teacher: Teacher) -> int:
    """How many the teacher's stream has."""
    body = {"secret": teacher.secret}
    async with teacher.client.stream(
        "POST", f"{teacher.page.address}/room/watch", json=body, timeout=PATIENCE
    ) as reply:
        found = 0
        async for line in reply.aiter_lines():
            if line.startswith("data: "):
                found += len(json.loads(line[6:]).get("answers", ()))
            elif line.startswith(":"):
                break
    return found


def browse(link: list[str], over: threading.Event, seen: list[list[tuple[str, float]]], errors: list[str]) -> None:
    """Two students' pages in a real browser: what they have shown, and when."""
    while not link:
        time.sleep(0.1)
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            tabs = [browser.new_page(viewport={"width": 390, "height": 844}) for _ in range(BROWSERS)]
            for tab in tabs:
                tab.on("pageerror", lambda error: errors.append(str(error)))
                tab.goto(link[0])
                tab.wait_for_selector(".pane.guided canvas", timeout=60_000)
                tab.wait_for_function("window.explored", timeout=60_000)
                tab.evaluate(WATCH)
            while not over.is_set():
                tabs[0].wait_for_timeout(200)
            seen += [[(key, at / 1000) for key, at in tab.evaluate("window.seen")] for tab in tabs]
            browser.close()
    except PlaywrightError as error:
        errors.append(repr(error))


def browsers_waits(changes: list[Change], seen: list[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """Of each change that was there for long enough to be seen, its kind and the seconds to its picture."""
    for change, after in itertools.pairwise(changes):
        label, seed, w = change.picture
        key = f"{label},{seed},{w:g},true,false"
        times = [at for name, at in seen if name == key and change.at <= at < after.at]
        if times:
            yield change.kind, times[0] - change.at
        elif seen and change.kind != "dragged" and seen[0][1] < change.at:
            before = [name for name, at in seen if at < change.at][-1:]
            yield change.kind, 0.0 if before == [key] else float("nan")


def main() -> None:
    print_any_text()
    p = argparse.ArgumentParser("python -m tests.benchmarks.follow", description="A class that follows its teacher.")
    p.add_argument("--checkpoint", default="checkpoints/fashion-mnist", help="a folder, or a Hub name owner/name")
    p.add_argument("--followers", type=int, default=98, help=f"beside {BROWSERS} browsers")
    p.add_argument("--seconds", type=float, default=600)
    options = p.parse_args()
    changes: list[Change] = []
    errors: list[str] = []
    link: list[str] = []
    seen: list[list[tuple[str, float]]] = []
    memory: list[float] = []
    over = threading.Event()
    with running(str(Path(options.checkpoint).resolve())) as page:
        meter = ProcessMeter(page.app.pid)

        def watch() -> None:
            while not over.wait(5):
                memory.append(meter.memory() / 2**20)

        threads = [threading.Thread(target=browse, args=(link, over, seen, errors)), threading.Thread(target=watch)]
        for thread in threads:
            thread.start()
        lost = asyncio.run(teach(page, options.followers, options.seconds, changes, errors, link))
        over.set()
        for thread in threads:
            thread.join()
        errors += page.log.count("Traceback") * ["a traceback in the app's log"]
    report(changes[1:-1], seen, lost, errors, memory, options.followers)


def report(
    changes: list[Change],
    seen: list[list[tuple[str, float]]],
    lost: int,
    errors: list[str],
    memory: list[float],
    n: int,
) -> None:
    """Print the table. n: followers beside the browsers."""
    table = Table("measure", "median", "p95", "most", "n", "target", title=f"{n} followers and {BROWSERS} browsers")
    titles = {
        "there": "to a picture that is there",
        "dragged": "the same while the teacher drags",
        "drawn": "to one that must be drawn",
    }
    browsers = [wait for each in seen for wait in browsers_waits(changes, each)]
    for kind, title in titles.items():
        waits = [at - change.at for change in changes if change.kind == kind for at in change.shown]
        in_browsers = [wait for name, wait in browsers if name == kind and wait == wait]
        for who, found in (("", waits), (", on the screen of a browser", in_browsers)):
            if found:
                figures = [f"{seconds:.2f} s" for seconds in np.percentile(found, (50, 95, 100))]
                table.add_row(title + who, *figures, str(len(found)), "≤ 0.3 s, ≤ 1 s")
    late = sum(n - len(change.shown) for change in changes if change.kind != "dragged")
    unseen = sum(wait != wait for _, wait in browsers)
    table.add_row("pictures that came after the next change, or never", "", "", "", str(late + unseen))
    table.add_row("answers lost", "", "", "", str(lost), "0")
    fifth = max(1, len(memory) // 5)
    sizes = [f"{np.median(part):.0f} MB" for part in (memory[:fifth], memory[-fifth:])]
    table.add_row(f"memory: {sizes[0]} in the first fifth, {sizes[1]} in the last", "", "", f"{max(memory):.0f} MB")
    table.add_row("errors", "", "", "", str(len(errors)), "0")
    Console().print(table, *errors[:3])


if __name__ == "__main__":
    main()
