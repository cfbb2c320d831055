"""The Trade-off tab as a person uses it. Whatever a chart, a table or a download shows must be the files' figures."""

import csv
import io
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cfg_core.evaluation.metrics import METRICS
from cfg_core.serving.engine import Engine
from cfg_core.serving.sessions import Demand
from tests.conftest import served
from tests.curve_files import everything, record, write

from .conftest import Open

TAB = "?tab=tradeoff"
AXES = {"fid": ("inception", "fid"), "beside": ("recall", "precision")}
"""Which metrics lie along x and y of the two charts."""

POINTS = """(svg) => ({...svg.dataset, points: [...svg.querySelectorAll('.point')].map(point => ({
  ...point.dataset, at: point.querySelector('.mark').getAttribute('transform')}))})"""


@pytest.fixture(scope="module")
def files(engine: Engine) -> dict[str, Any]:
    return everything(engine.checkpoint.hash)


@pytest.fixture(scope="module")
def address(engine: Engine, files: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over all the curves."""
    with served(engine, folder=write(tmp_path_factory.mktemp("curves"), files)) as (address, _):
        yield address


def opened(page: Any) -> Any:
    page.wait_for_selector('.tradeoff[data-state="open"]')
    return page


def drawn(page: Any, chart: str) -> list[dict[str, Any]]:
    """The points of a chart; each stands where its scale puts its figures, to a hundredth of a pixel."""
    svg = page.locator(f".tradeoff .{chart} svg").evaluate(POINTS)
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


def holds(page: Any, chart: str, curves: list[dict[str, Any]]) -> None:
    """The chart shows exactly these files, in this order."""
    x, y = AXES[chart]
    expected = [(n, result["w"], result[x], result[y]) for n, each in enumerate(curves) for result in each["results"]]
    found = [(int(p["curve"]), float(p["w"]), float(p["x"]), float(p["y"])) for p in drawn(page, chart)]
    assert found == expected


def choose(page: Any, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).check()


GROUPS = {
    "Guidance strength": ["main.json"],
    "p_uncond": ["p-uncond-0.1.json", "p-uncond-0.2.json", "p-uncond-0.5.json"],
    "Steps T": [f"steps-{T}.json" for T in (8, 16, 32, 64, 128, 256)],
    "Method": ["main.json", "classifier.json", "unconditional.json", "bayes.json"],
}


def test_the_charts_show_exactly_the_figures_of_the_files(open_page: Open, files: dict[str, Any]) -> None:
    page = opened(open_page(TAB))
    assert page.get_by_role("alert").count() == 0
    for group, names in GROUPS.items():
        choose(page, group)
        for chart in AXES:
            holds(page, chart, [files[name] for name in names])
            baseline = page.locator(f".tradeoff .{chart} .baseline")
            of_file = tuple(files[names[0]]["real_baseline"][metric] for metric in AXES[chart])
            assert (float(baseline.get_attribute("data-x")), float(baseline.get_attribute("data-y"))) == of_file
            if len(names) > 1:
                assert page.locator(f".{chart} .title text").count() == len(names)
    assert page.locator(".fid .axis-y").text_content() == "FID (log scale) →"


def test_the_papers_tables_stand_beside_ours(open_page: Open, files: dict[str, Any]) -> None:
    raw = json.loads((Path(__file__).parents[2] / "assets" / "paper_tables.json").read_text())
    page = opened(open_page(TAB))
    for name, table in (("Table 1", raw["imagenet64"]["by_p_uncond"]), ("Table 2", raw["imagenet128"]["by_steps"])):
        choose(page, f"paper’s {name}")
        holds(page, "fid", [files["main.json"]])
        found = [(float(p["x"]), float(p["y"])) for p in drawn(page, "beside")]
        assert found == [pair for line in table.values() for pair in zip(line["is"], line["fid"], strict=True)]
        assert "Ho & Salimans" in page.locator(".beside .words").inner_text()
    point = page.locator('.beside .point[data-w="0.3"]').nth(1)
    point.hover(force=True)
    assert "FID\n2.43\nInception Score\n158\n" in page.locator(".beside .tip").inner_text()
    point.click(force=True)
    assert page.evaluate("document.documentElement.dataset.tab") == "tradeoff", "not one of our models"


def test_pointing_at_a_point_tells_its_figures_and_their_intervals(open_page: Open, files: dict[str, Any]) -> None:
    page = opened(open_page(TAB))
    page.locator('.fid .point[data-w="0.3"]').hover(force=True)
    tip = page.locator(".fid .tip").inner_text()
    assert tip.splitlines()[0] == "w = 0.3 · s = 1.3 · CFG"
    assert "FID\n0.400 (0.380 to 0.420)\nInception Score\n8.48 (8.47 to 8.48)" in tip
    for metric in METRICS.values():
        assert f"{metric.title}\n" in tip
    assert "\n10,000 samples, seed 0; DPM-Solver++ 2M, 12 steps\n" in tip
    assert tip.endswith("Click: these settings in Explore.")
    page.mouse.move(0, 0)
    page.locator(".fid .tip").wait_for(state="hidden")


def test_a_click_opens_explore_at_that_point(open_page: Open, engine: Engine) -> None:
    page = opened(open_page(TAB + "&class=8&samples=1&tradeoff_group=steps"))
    page.locator('.fid [data-curve="0"][data-w="1"]').click(force=True)
    page.wait_for_function("window.explored")
    here = {"model": engine.checkpoint.hash, "class": 8, "samples": 1, "seed": 7, "sampler": "ancestral", "rule": "cfg"}
    assert page.evaluate("explored") == {**here, "w": 1, "steps": 8}
    assert page.evaluate("document.documentElement.dataset.tab") == "explore"
    page.wait_for_function("document.querySelector('.guided canvas').dataset.w === '1'")
    page.get_by_role("tab", name="Trade-off").click()
    page.locator('.fid [data-curve="1"][data-w="0.3"]').click(force=True)  # and again, now that Explore is there
    page.wait_for_function("explored.w === 0.3")
    assert page.evaluate("explored") == {**here, "w": 0.3, "steps": 16}
    assert page.evaluate("document.documentElement.dataset.tab") == "explore"


def test_a_point_of_another_checkpoint_says_so_and_opens_nothing(open_page: Open) -> None:
    page = opened(open_page(TAB + "&tradeoff_group=p_uncond"))
    point = page.locator('.fid [data-curve="2"][data-w="1"]')
    point.hover(force=True)
    told = page.locator(".fid .tip").inner_text().splitlines()[-1]
    assert told == "Of runs/p-uncond-0.5 (0.5000000000), which is not offered here."
    point.click(force=True)
    page.mouse.click(*[page.locator(".fid svg").bounding_box()[side] + 90 for side in ("x", "y")])  # beside every point
    assert page.evaluate("document.documentElement.dataset.tab") == "tradeoff"


def dot(page: Any, chart: str = "fid") -> tuple[float, float]:
    read = page.locator(f".tradeoff .{chart} .dot").evaluate(
        "dot => [+dot.getAttribute('cx'), +dot.getAttribute('cy')]"
    )
    return read[0], read[1]


def spot(page: Any, curve: int, w: str, chart: str = "fid") -> tuple[float, float]:
    data = page.locator(f'.tradeoff .{chart} [data-curve="{curve}"][data-w="{w}"]').evaluate("p => ({...p.dataset})")
    return float(data["px"]), float(data["py"])


def explored(page: Any, **fields: Any) -> None:
    """Explore shows something else."""
    page.evaluate("fields => dispatchEvent(new CustomEvent('lab:explore', {detail: fields}))", fields)


def test_the_dot_follows_the_slider_of_explore(open_page: Open) -> None:
    page = open_page("?samples=1&steps=12&w=2.5")
    page.wait_for_function("window.explored")
    page.get_by_role("tab", name="Trade-off").click()
    opened(page)
    for chart in AXES:
        halfway = [sum(pair) / 2 for pair in zip(spot(page, 0, "2", chart), spot(page, 0, "3", chart), strict=True)]
        assert dot(page, chart) == pytest.approx(halfway, abs=0.01)
        assert page.locator(f".{chart} .dot-name").text_content() == "w = 2.5between measured points"
    explored(page, w=1)
    assert dot(page) == pytest.approx(spot(page, 0, "1"))
    assert page.locator(".fid .dot-name").text_content() == "w = 1"
    explored(page, w=-0.5)
    assert dot(page) == pytest.approx(spot(page, 0, "0"))
    assert page.locator(".fid .dot-name").text_content() == "w = −0.5measured from w = 0"
    explored(page, w=3, sampler="ancestral", steps=16)
    assert (
        "the dot is on the first curve of the model, for these settings were not measured"
        in page.locator(".follows").inner_text()
    )
    choose(page, "Steps T")
    assert dot(page) == pytest.approx(spot(page, 1, "3")), "on the curve of its own settings"
    explored(page, w=4)
    assert dot(page) == pytest.approx(spot(page, 1, "3"))
    assert page.locator(".fid .dot-name").text_content() == "w = 4measured up to w = 3"
    choose(page, "p_uncond")
    assert page.locator(".tradeoff .dot").count() == 0
    assert "no curve here is of it" in page.locator(".follows").inner_text()


def test_a_link_to_the_tab_has_the_dot_of_its_w(open_page: Open, engine: Engine) -> None:
    before = set(engine.sessions.tokens)
    page = opened(open_page(TAB + "&w=2"))
    page.wait_for_function("window.explored")
    assert dot(page) == pytest.approx(spot(page, 0, "2"))
    [token] = set(engine.sessions.tokens) - before
    assert engine.sessions.get(token).demand == Demand(), "nothing is drawn for a tab that is not seen"


def test_the_keyboard_walks_along_the_curves(open_page: Open) -> None:
    page = opened(open_page(TAB + "&tradeoff_group=method&class=8&samples=1"))
    assert page.locator('.fid .point[tabindex="0"]').count() == 1
    page.locator('.fid .point[tabindex="0"]').focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    focused = page.evaluate("({...document.activeElement.dataset})")
    assert (focused["curve"], focused["w"]) == ("1", "0.1")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "classifier guidance, w = 0.1: FID "
    )
    assert page.locator(".fid .tip").inner_text().startswith("w = 0.1 · s = 1.1 · classifier guidance")
    page.keyboard.press("Escape")
    page.locator(".fid .tip").wait_for(state="hidden")
    page.locator('.fid [data-curve="0"][data-w="2"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.explored?.w === 2")
    assert page.evaluate("document.documentElement.dataset.tab") == "explore"


def save(page: Any, kind: str) -> str:
    with page.expect_download() as download:
        page.locator(f".downloads .{kind}").click()
    assert download.value.suggested_filename == f"guidance-lab-method-table1.{kind}"
    return Path(download.value.path()).read_text()


def test_downloads_and_table_hold_the_same_figures(open_page: Open, files: dict[str, Any]) -> None:
    page = opened(open_page(TAB + "&tradeoff_group=method&tradeoff_beside=table1"))
    names = GROUPS["Method"]
    *ours, a, _, _ = json.loads(save(page, "json"))["curves"]
    assert [(each["file"], each["record"]) for each in ours] == [(name, files[name]) for name in names]
    assert a["record"]["results"][0] == {"w": 0, "fid": 1.8, "inception": 53.71}
    rows = list(csv.DictReader(io.StringIO(save(page, "csv"))))
    for name in names:
        lines, content = [row for row in rows if row["source"] == name], files[name]
        for row, figures in zip(lines, [*content["results"], {"w": "real", **content["real_baseline"]}], strict=True):
            shown = {key: row[key] if value == "real" else float(row[key]) for key, value in figures.items()}
            assert shown == figures
            assert (row["checkpoint"], row["rule"]) == (content["checkpoint"]["hash"], content["rule"])
            assert (int(row["samples"]), int(row["seed"])) == (content["samples"], content["seed"])
    assert sum(row["source"].startswith("Ho & Salimans") for row in rows) == 3 * 14
    page.get_by_text("The figures as a table").click()
    cells = page.locator(".figures tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(c => c.textContent))"
    )
    assert len(cells) == len(rows)
    assert cells[3][:4] == ["CFG", "0.3", "1.3", "0.400 (0.380 to 0.420)"]


def test_the_address_holds_the_state(open_page: Open) -> None:
    page = opened(open_page(TAB))
    choose(page, "Steps T")
    choose(page, "paper’s Table 2")
    query = dict(parse_qsl(urlsplit(page.url).query))
    assert query == {"tab": "tradeoff", "tradeoff_group": "steps", "tradeoff_beside": "table2"}
    again = opened(open_page("?" + urlsplit(page.url).query))
    assert again.get_by_role("radio", name="Steps T").is_checked()
    assert again.locator(".beside figcaption").inner_text() == "the paper’s Table 2: ImageNet 128×128"
    choose(again, "Guidance strength")
    choose(again, "precision and recall")
    assert urlsplit(again.url).query == "tab=tradeoff"
    assert opened(open_page(TAB + "&tradeoff_group=nonsense")).get_by_role("radio", name="Guidance").is_checked()


def test_findings_and_what_the_figures_are_worth_stand_under_the_charts(open_page: Open) -> None:
    page = opened(open_page(TAB))
    assert page.locator(".fid li").all_inner_texts()[0].startswith("FID is lowest at w = 0.3, 0.400 (0.380 to 0.420)")
    verdicts = {text.split(": ")[-1] for text in page.locator(".words li").all_inner_texts()}
    assert verdicts == {"as in the paper.", "as the paper says of fidelity.", "as the paper says of diversity."}
    assert (
        page.locator(".basis")
        .inner_text()
        .startswith(
            "FID over 64 penultimate features of the classifier, which is right on 92.15 % of the test pictures; not "
            "comparable with FID over Inception features. 10,000 samples, seed 0."
        )
    )


# ---- what is wrong is named ----


@contextmanager
def over(browser: Any, engine: Engine, folder: Path) -> Iterator[Any]:
    """A page over another folder of curves; at the end: no errors."""
    errors: list[str] = []
    with served(engine, folder=folder) as (address, _):
        page = browser.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + TAB)
        yield opened(page)
        page.close()
    assert errors == []


def test_a_missing_folder_is_named_and_the_papers_tables_still_stand(
    browser: Any, engine: Engine, tmp_path: Path
) -> None:
    with over(browser, engine, tmp_path / "curves") as page:
        assert page.get_by_role("alert").inner_text() == "There is no folder curves with curve files."
        assert page.locator(".fid figcaption").inner_text() == "no curve to show"
        assert len(drawn(page, "beside")) == 3 * 14


def test_malformed_files_and_those_of_another_checkpoint_are_named(
    browser: Any, engine: Engine, tmp_path: Path
) -> None:
    running = engine.checkpoint.hash
    old = {name: value for name, value in record().items() if name != "rule"}
    other = record(model="ffffffffffff")
    folder = write(tmp_path, {"main.json": record(model=running), "old.json": old, "other.json": other})
    (folder / "cut.json").write_text(json.dumps(record())[:500])
    with over(browser, engine, folder) as page:
        told = page.locator('[role="alert"] p').all_inner_texts()
        assert told[0].startswith("cut.json is not JSON: ")
        assert told[1:] == [
            "old.json is not a curve file: the record lacks rule.",
            "other.json is of the checkpoint checkpoints/fashion-mnist (ffffffffffff), which is not offered here: it "
            "is not drawn.",
        ]
        holds(page, "fid", [record(model=running)])


def test_curves_of_another_checkpoint_alone_are_named_and_drawn(browser: Any, engine: Engine, tmp_path: Path) -> None:
    with over(browser, engine, write(tmp_path, {"other.json": record(model="ffffffffffff")})) as page:
        assert "other.json is of the checkpoint" in page.get_by_role("alert").inner_text()
        assert "its points do not open in Explore" in page.get_by_role("alert").inner_text()
        holds(page, "fid", [record()])


# ---- how it looks ----


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [(390, 844, "dark"), (768, 1024, "light"), (1280, 720, "dark"), (1280, 960, "light"), (1920, 1080, "dark")],
)
def test_it_fits(open_page: Open, width: int, height: int, scheme: str) -> None:
    page = opened(open_page(TAB, viewport={"width": width, "height": height}, color_scheme=scheme))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for chart in page.locator(".tradeoff svg").all():
        box = chart.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    if width >= 1280:  # both charts on one screen
        assert all(
            chart.evaluate("n => n.getBoundingClientRect().bottom < innerHeight")
            for chart in page.locator("svg.chart").all()
        )
    line, paper = page.evaluate(
        """(([a, b]) => [a.stroke, b.backgroundColor])([document.querySelector('.tradeoff .line'),
           document.querySelector('.tradeoff')].map(node => getComputedStyle(node)))"""
    )
    assert line == {"light": "rgb(185, 78, 39)", "dark": "rgb(240, 144, 95)"}[scheme]
    brightness = sum(map(int, paper.removeprefix("rgb(").removesuffix(")").split(",")))
    assert (brightness > 600) == (scheme == "light")


def test_in_explore_a_small_curve_has_the_dot_and_all_stays_on_one_screen(open_page: Open) -> None:
    page = open_page("?samples=1&steps=12&w=3")
    page.wait_for_function("document.querySelector('.guided canvas')?.dataset.done === 'true'")
    curve = page.locator(".explore aside .chart")
    assert curve.get_attribute("aria-label") == "FID against Inception Score over w, at w = 3"
    assert curve.locator(".dot").get_attribute("data-w") == "3"
    before = curve.locator(".dot").get_attribute("cx")
    page.get_by_role("slider", name="guidance strength").press("Home")
    page.wait_for_function("document.querySelector('.explore .dot').dataset.w === '0'")
    assert float(curve.locator(".dot").get_attribute("cx")) < float(before)
    assert curve.locator(".dot-name").text_content() == "w = 0"
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    explored(page, steps=2)
    page.locator(".explore .measured").wait_for()
    assert page.locator(".explore .measured").inner_text() == "Measured with DPM-Solver++ 2M, 12 steps."
    assert curve.locator(".dot").count() == 0, "the curve is of other settings"
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.set_viewport_size({"width": 1280, "height": 720})
    assert not curve.is_visible()


def test_in_explore_the_small_curve_says_where_its_measurements_end(open_page: Open) -> None:
    page = open_page("?samples=1&steps=12&w=-0.5")
    page.wait_for_function("document.querySelector('.guided canvas')?.dataset.done === 'true'")
    assert page.locator(".explore aside .chart .dot-name").text_content() == "w = −0.5measured from w = 0"
