"""Reading and driving the Trade-off tab."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cfg_core.serving.engine import Engine
from tests.conftest import served

TAB = "?tab=tradeoff"

AXES = {"fid": ("inception", "fid"), "second": ("recall", "precision")}
"""Which metrics lie along x and y of the two charts."""

POINTS = """(svg) => ({...svg.dataset, points: [...svg.querySelectorAll('.point')].map(point => ({
  ...point.dataset, at: point.querySelector('.mark').getAttribute('transform')}))})"""

GROUPS = {
    "Guidance strength": ["main.json"],
    "p_uncond": ["p-uncond-0.1.json", "p-uncond-0.2.json", "p-uncond-0.5.json"],
    "Steps T": [f"steps-{T}.json" for T in (8, 16, 32, 64, 128, 256)],
    "Method": ["main.json", "classifier.json", "unconditional.json", "bayes.json"],
}


def wait_until_open(page: Any) -> Any:
    page.wait_for_selector('.tradeoff[data-state="open"]')
    return page


def read_points(page: Any, chart: str) -> list[dict[str, Any]]:
    """The points of a chart; each stands where its scale puts its figures, to a hundredth of a pixel."""
    svg = page.locator(f".tradeoff .{chart} svg.chart").evaluate(POINTS)
    left, right, top, bottom = map(float, svg["area"].split(","))

    def place(axis: str, value: float, start: float, end: float) -> float:
        f = math.log10 if svg[f"{axis}Log"] == "true" else float
        low, high = f(float(svg[f"{axis}Low"])), f(float(svg[f"{axis}High"]))
        return start + (f(value) - low) / (high - low) * (end - start)

    for point in svg["points"]:
        x, y = map(float, point["at"].removeprefix("translate(").removesuffix(")").split())
        assert abs(x - place("x", float(point["x"]), left, right)) < 0.01
        assert abs(y - place("y", float(point["y"]), bottom, top)) < 0.01
        assert left <= x <= right
        assert top <= y <= bottom
    return svg["points"]


def assert_shows(page: Any, chart: str, curves: list[dict[str, Any]]) -> None:
    """The chart shows exactly these files, in this order."""
    x, y = AXES[chart]
    expected = [(n, result["w"], result[x], result[y]) for n, each in enumerate(curves) for result in each["results"]]
    found = [(int(p["curve"]), float(p["w"]), float(p["x"]), float(p["y"])) for p in read_points(page, chart)]
    assert found == expected


def choose(page: Any, name: str) -> None:
    """Show the curves whose label begins so."""
    page.locator(".groups label", has_text=re.compile(f"^{name}")).locator("input").check()


def compare(page: Any, name: str) -> None:
    page.get_by_label("compare with").select_option(label=name)


def open_details(page: Any) -> None:
    page.get_by_text("Figures, intervals and method").click()


def dot_position(page: Any, chart: str = "fid") -> tuple[float, float]:
    read = page.locator(f".tradeoff .{chart} .dot").evaluate(
        "dot => [+dot.getAttribute('cx'), +dot.getAttribute('cy')]"
    )
    return read[0], read[1]


def point_position(page: Any, curve: int, w: str, chart: str = "fid") -> tuple[float, float]:
    data = page.locator(f'.tradeoff .{chart} [data-curve="{curve}"][data-w="{w}"]').evaluate("p => ({...p.dataset})")
    return float(data["px"]), float(data["py"])


def change_explore(page: Any, **fields: Any) -> None:
    """Explore shows something else."""
    page.evaluate("fields => dispatchEvent(new CustomEvent('lab:explore', {detail: fields}))", fields)


@contextmanager
def page_over(browser: Any, engine: Engine, folder: Path) -> Iterator[Any]:
    """A page over another folder of curves; at the end: no errors."""
    errors: list[str] = []
    with served(engine, folder=folder) as (address, _):
        page = browser.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + TAB)
        yield wait_until_open(page)
        page.close()
    assert errors == []
