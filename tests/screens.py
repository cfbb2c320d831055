"""Screenshots of every tab of the running app at several window sizes, light and dark, and of a class.

python -m tests.screens [--out docs/screens]
"""

import argparse
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.benchmarks.startup import running
from tests.browser.conftest import launch
from tests.browser.room_page import start_class, until_in_room

SIZES = ((1280, 720), (1440, 900), (1920, 1080), (390, 844))
QUALITY = 80
TABS = """() => [...document.querySelectorAll('.shell [role="tab"]')].map(tab => tab.name)"""
READY = """name => !['opening', 'drawing'].includes(document.querySelector('.' + name)?.dataset.state)
  && document.querySelector('.explore')?.dataset.missing === '0'"""
DRAWN = "() => window.measured?.explore"
PRESENTED = ((1920, 1080), (1024, 768))
ANSWERS = (0.2, 0.5, 0.5, 1, 1, 1.5, 1.5, 1.5, 2, 2, 2, 2.5, 2.5, 3, 3, 3.5, 4, 5)
ANSWER = """async ([id, question, answers]) => {
  const post = (call, fields) => fetch(`room/${call}`, {method: 'POST', body: JSON.stringify({id, ...fields})});
  for (const [n, answer] of answers.entries()) {
    const token = `follower-${n}`.padEnd(22, '-');
    await (await post('follow', {token, once: true})).text();
    await post('answer', {token, question, answer});
  }
}"""


def save(page: Any, path: Path) -> None:
    """The window's content as WebP."""
    with Image.open(BytesIO(page.screenshot())) as picture:
        picture.save(path, "WEBP", quality=QUALITY, method=6)


def save_class(browser: Any, address: str, out: Path) -> None:
    """The presenter's view in two shapes, a phone that follows, and the answers on the teacher's page."""
    step = "lesson=guidance&at={}&class=8&w={}"
    for width, height in PRESENTED:
        hall = browser.new_page(viewport={"width": width, "height": height})
        hall.goto(f"{address}/?view=presenter&{step.format(6, 0.4)}")
        hall.wait_for_function(DRAWN, timeout=120_000)
        hall.keyboard.press("PageDown")
        hall.locator(".lesson .reveal:not(:empty)").wait_for(timeout=120_000)
        save(hall, out / f"presenter-{width}x{height}.webp")
        hall.close()
    teacher = browser.new_page(viewport={"width": 1440, "height": 900})
    teacher.goto(f"{address}/?{step.format(8, 3)}")
    teacher.wait_for_function(DRAWN, timeout=120_000)
    link = start_class(teacher)
    phone = browser.new_page(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    phone.goto(link)
    phone.wait_for_function(DRAWN, timeout=120_000)
    phone.locator(".lesson .answer").wait_for()
    save(phone, out / "lesson-390x844.webp")
    teacher.evaluate(ANSWER, [link.partition("=")[2], "guidance/8", ANSWERS])
    until_in_room(teacher, f"room.answers(room.question).length === {len(ANSWERS)}")
    teacher.keyboard.press("PageDown")
    until_in_room(teacher, "room.phase === 'shown'")
    teacher.keyboard.press("PageDown")
    teacher.locator(".lesson .reveal:not(:empty)").wait_for(timeout=120_000)
    save(teacher, out / "answers-1440x900.webp")


def main() -> None:
    """Take them all, and print their sizes."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", type=Path, default=Path("docs/screens"))
    out = p.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with running("checkpoints/fashion-mnist") as app, sync_playwright() as playwright:
        browser = launch(playwright)
        for scheme in ("light", "dark"):
            for width, height in SIZES:
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.goto(f"{app.address}/?class=8")
                page.wait_for_function(READY, arg="explore", timeout=120_000)
                for tab in page.evaluate(TABS):
                    page.locator(f'.shell [role="tab"][name="{tab}"]').click()
                    page.wait_for_function(READY, arg=tab, timeout=120_000)
                    path = out / f"{tab}-{width}x{height}-{scheme}.webp"
                    save(page, path)
                    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
                page.close()
        save_class(browser, app.address, out)
        browser.close()


if __name__ == "__main__":
    main()
