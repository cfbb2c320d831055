"""Screenshots of every tab of the running app at several window sizes, light and dark.

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

SIZES = ((1280, 720), (1440, 900), (1920, 1080), (390, 844))
QUALITY = 80
TABS = """() => [...document.querySelectorAll('.shell [role="tab"]')].map(tab => tab.name)"""
READY = """name => !['opening', 'drawing'].includes(document.querySelector('.' + name)?.dataset.state)
  && document.querySelector('.explore')?.dataset.missing === '0'"""


def save(page: Any, path: Path) -> None:
    """The window's content as WebP."""
    with Image.open(BytesIO(page.screenshot())) as picture:
        picture.save(path, "WEBP", quality=QUALITY, method=6)


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
        browser.close()


if __name__ == "__main__":
    main()
