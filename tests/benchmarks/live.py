"""python -m tests.benchmarks.live [--checkpoint FOLDER] [--rounds 7]

What a user waits for: the real page of a running ``app.py`` in headless Chromium, its times beside those of the bare
sampler in the same run. Prints one table; nothing is asserted.
"""

import argparse
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.devices import set_cpu_threads
from cfg_core.program import print_any_text
from tests.benchmarks.sampling import W, explore
from tests.benchmarks.startup import running
from tests.browser.conftest import launch

PAUSE = 1.0
"""Seconds without input before the class is changed."""

HELPERS = """
  const $ = selector => document.querySelector(selector);
  const frame = () => new Promise(requestAnimationFrame);
  const until = holds => new Promise(resolve => {
    const look = () => { if (holds()) { watch.disconnect(); resolve(); } }, watch = new MutationObserver(look);
    watch.observe($('.explore'), {subtree: true, attributes: true});
    look();
  });
  const guided = $('.guided canvas').dataset, lab = $('.explore').dataset;
  const set = (selector, value) => {
    $(selector).value = value;
    $(selector).dispatchEvent(new Event('input', {bubbles: true}));
  };
  const changeClass = async label => {
    const begun = performance.now();
    set('input.class', label);
    await until(() => guided.done === 'true' && guided.classes === String(label));
    return performance.now() - begun;
  };
"""

CHANGE_CLASS = """async label => {%s
  return (await changeClass(label)) / 1000;
}"""

FILL_STRIP = """async label => {%s
  const begun = performance.now(), finished = await changeClass(label);
  await until(() => [0, 2, 3, 5, 7].every(i => !document.querySelectorAll('.strip button')[i].matches('.missing')));
  const coarse = performance.now() - begun;
  await until(() => lab.missing === '0' && lab.state === 'idle');
  return [finished / 1000, coarse / 1000, (performance.now() - begun) / 1000];
}"""

REST_AT = """async w => {%s
  const begun = performance.now();
  set('input.w', w);
  await until(() => guided.done === 'true' && guided.w === String(w));
  return (performance.now() - begun) / 1000;
}"""

SCRUB = """async ticks => {%s
  const shown = new Set(), begun = performance.now();
  let slowest = 0, before = begun;
  for (let tick = 0; tick <= ticks; tick++) {
    set('input.w', (4 - 4 * Math.cos(tick / 30)).toFixed(1));
    await frame();
    slowest = Math.max(slowest, performance.now() - before);
    before = performance.now();
    shown.add(guided.w);
  }
  const rate = 1000 * ticks / (performance.now() - begun);
  await until(() => lab.state === 'idle');
  return {rate, slowest, rungs: shown.size, kept: guided.w === String(+$('input.w').value)};
}"""


def script(source: str) -> str:
    return source.replace("%s", HELPERS)


def first_picture(browser: Any, address: str, seed: int) -> float:
    """Seconds from opening the page to the first picture on its canvas."""
    page = browser.new_page()
    begun = perf_counter()
    page.goto(f"{address}/?seed={seed}")
    page.wait_for_function("document.querySelector('.guided canvas')?.dataset.evaluations >= 1")
    taken = perf_counter() - begun
    page.close()
    return taken


def after_a_pause(job: Callable[[], object]) -> float:
    """Seconds that it takes on cores that have been idle, as they are after a pause of the user."""
    sleep(PAUSE)
    begun = perf_counter()
    job()
    return perf_counter() - begun


def main() -> None:
    print_any_text()
    p = argparse.ArgumentParser("python -m tests.benchmarks.live", description="What a user of the page waits for.")
    p.add_argument("--checkpoint", default="checkpoints/fashion-mnist", help="a folder, or a Hub name owner/name")
    p.add_argument("--rounds", type=int, default=7, help="how often each thing is timed")
    options = p.parse_args()
    set_cpu_threads()
    denoiser = load_checkpoint(options.checkpoint).denoiser
    random.seed(0)
    with running(str(Path(options.checkpoint).resolve())) as app, sync_playwright() as playwright:
        browser = launch(playwright)
        opened = [first_picture(browser, app.address, random.randrange(10**6)) for _ in range(options.rounds)]
        page = browser.new_page(viewport={"width": 1280, "height": 960})
        changes, rests, bare = [], [], []
        for number in range(options.rounds + 1):
            page.goto(f"{app.address}/?seed={random.randrange(10**6)}&class={number % 10}")
            page.wait_for_function("document.querySelector('.explore')?.dataset.missing === '0'", timeout=120_000)
            sleep(PAUSE)
            changes.append(page.evaluate(script(FILL_STRIP), (number + 3) % 10))
            rests.append(page.evaluate(script(REST_AT), 2.3))
            bare.append(median(after_a_pause(partial(explore, denoiser, W)) for _ in range(3)))
        scrubs = [page.evaluate(script(SCRUB), 180) for _ in range(3)]
        browser.close()
    finished, coarse, full = (list(times) for times in zip(*changes[1:], strict=True))
    reference = f"{median(bare[1:]):.2f} s"

    def seconds(taken: list[float]) -> tuple[str, str, str]:
        ratio = median(a / b for a, b in zip(taken, bare[1:], strict=True))
        return f"{median(taken):.2f} s", reference, f"{ratio:.2f}"

    table = Table("measure", "ours", "the bare sampler's guided grid", "ratio", "target", title="Live, medians")
    table.add_row("class changed to the finished guided grid of 16", *seconds(finished), "≤ 1.25")
    table.add_row("class changed to the full coarse strip", *seconds(coarse))
    table.add_row("class changed to the full strip of 17", *seconds(full))
    table.add_row("thumb rests to the exact guided grid", *seconds(rests[1:]))
    table.add_row("page opened to the first picture", f"{median(opened):.2f} s")
    rate, slowest = median(each["rate"] for each in scrubs), max(each["slowest"] for each in scrubs)
    rungs, lost = min(each["rungs"] for each in scrubs), sum(not each["kept"] for each in scrubs)
    table.add_row("frames a second while scrubbing a filled strip", f"{rate:.1f}", "", "", "≥ 50")
    table.add_row("the slowest of those frames", f"{slowest:.0f} ms")
    table.add_row("different w seen in one scrub of 3 s", f"{rungs}")
    table.add_row("last positions lost", f"{lost} of {len(scrubs)}", "", "", "0")
    Console().print(table)


if __name__ == "__main__":
    main()
