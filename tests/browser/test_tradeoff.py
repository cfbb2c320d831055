"""The Trade-off tab: whatever a chart, a table or a download shows is the files' figures."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cfg_core.evaluation.metrics import titles
from cfg_core.serving.engine import Engine

from .conftest import Open
from .tradeoff_page import (
    AXES,
    GROUPS,
    TAB,
    assert_shows,
    choose,
    compare,
    open_details,
    read_points,
    wait_until_open,
)


@pytest.fixture(scope="module")
def address(address_with_curves: str) -> str:
    return address_with_curves


def test_the_charts_show_exactly_the_figures_of_the_files(open_page: Open, files: dict[str, Any]) -> None:
    page = wait_until_open(open_page(TAB))
    assert page.get_by_role("alert").count() == 0
    for group, names in GROUPS.items():
        choose(page, group)
        for chart in AXES:
            assert_shows(page, chart, [files[name] for name in names])
            baseline = page.locator(f".tradeoff .{chart} .baseline")
            of_file = tuple(files[names[0]]["real_baseline"][metric] for metric in AXES[chart])
            assert (float(baseline.get_attribute("data-x")), float(baseline.get_attribute("data-y"))) == of_file
            assert page.locator(f".{chart} .legend li").count() == (len(names) if len(names) > 1 else 0)
    assert page.locator(".fid .axis-y").text_content() == "↑ FID, classifier features (log)"


def test_our_curves_are_compared_with_the_papers_tables(open_page: Open, files: dict[str, Any]) -> None:
    raw = json.loads((Path(__file__).parents[2] / "assets" / "paper_tables.json").read_text(encoding="utf-8"))
    page = wait_until_open(open_page(TAB))
    page.locator(".tradeoff summary").click()
    for name, table in (
        ("Table 1: ImageNet 64×64", raw["imagenet64"]["by_p_uncond"]),
        ("Table 2: ImageNet 128×128", raw["imagenet128"]["by_steps"]),
    ):
        compare(page, name)
        assert_shows(page, "fid", [files["main.json"]])
        found = [(float(p["x"]), float(p["y"])) for p in read_points(page, "second")]
        assert found == [pair for line in table.values() for pair in zip(line["is"], line["fid"], strict=True)]
        assert "Ho & Salimans" in page.locator(".figures .paper").inner_text()
    point = page.locator('.second .point[data-w="0.3"]').nth(1)
    point.hover(force=True)
    assert "FID\n2.43\nInception Score\n158\n" in page.locator(".second .tip").inner_text()
    point.click(force=True)
    assert page.evaluate("document.documentElement.dataset.tab") == "tradeoff", "not one of our models"


def test_hovering_over_a_point_shows_its_figures_and_their_intervals(open_page: Open, files: dict[str, Any]) -> None:
    page = wait_until_open(open_page(TAB))
    page.locator('.fid .point[data-w="0.3"]').hover(force=True)
    tip = page.locator(".fid .tip").inner_text()
    assert tip.splitlines()[0] == "w = 0.3 · s = 1.3 · CFG"
    ours = "FID, classifier features\n0.400 (0.380 to 0.420)\nInception Score, classifier\n8.48 (8.47 to 8.48)"
    assert ours in tip
    for title in titles("classifier").values():
        assert f"{title}\n" in tip
    assert "\n10,000 samples, seed 0; DPM-Solver++ 2M, 12 steps\n" in tip
    assert tip.endswith("Click: these settings in Explore.")
    page.mouse.move(0, 0)
    page.locator(".fid .tip").wait_for(state="hidden")


def test_a_click_opens_explore_at_that_point(open_page: Open, engine: Engine) -> None:
    page = wait_until_open(open_page(TAB + "&class=8&samples=1&tradeoff_group=steps"))
    page.locator('.fid [data-curve="0"][data-w="1"]').click(force=True)
    page.wait_for_function("window.explored")
    here = {"model": engine.checkpoint.hash, "class": 8, "samples": 1, "seed": 7, "sampler": "ancestral", "rule": "cfg"}
    assert {**here, "w": 1, "steps": 8}.items() <= page.evaluate("explored").items()
    assert page.evaluate("document.documentElement.dataset.tab") == "explore"
    page.wait_for_function("document.querySelector('.guided canvas').dataset.w === '1'")
    page.get_by_role("tab", name="Trade-off").click()
    page.locator('.fid [data-curve="1"][data-w="0.3"]').click(force=True)  # and again, now that Explore is there
    page.wait_for_function("explored.w === 0.3")
    assert page.evaluate("explored") == {**here, "w": 0.3, "steps": 16, "v": 0.3}
    assert page.evaluate("document.documentElement.dataset.tab") == "explore"


def test_a_point_of_another_checkpoint_names_it_and_opens_nothing(open_page: Open) -> None:
    page = wait_until_open(open_page(TAB + "&tradeoff_group=p_uncond"))
    point = page.locator('.fid [data-curve="2"][data-w="1"]')
    point.hover(force=True)
    message = page.locator(".fid .tip").inner_text().splitlines()[-1]
    assert message == "Of runs/p-uncond-0.5 (0.5000000000), which is not offered here."
    point.click(force=True)
    chart = page.locator(".fid svg.chart").bounding_box()
    page.mouse.click(chart["x"] + 90, chart["y"] + 90)  # beside every point
    assert page.evaluate("document.documentElement.dataset.tab") == "tradeoff"


def test_arrow_keys_move_along_the_curves(open_page: Open) -> None:
    page = wait_until_open(open_page(TAB + "&tradeoff_group=method&class=8&samples=1"))
    assert page.locator('.fid .point[tabindex="0"]').count() == 1
    page.locator('.fid .point[tabindex="0"]').focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    focused = page.evaluate("({...document.activeElement.dataset})")
    assert (focused["curve"], focused["w"]) == ("1", "0.1")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "classifier guidance, w = 0.1: FID, classifier features "
    )
    assert page.locator(".fid .tip").inner_text().startswith("w = 0.1 · s = 1.1 · classifier guidance")
    page.keyboard.press("Escape")
    page.locator(".fid .tip").wait_for(state="hidden")
    page.locator('.fid [data-curve="0"][data-w="2"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.explored?.w === 2")
    assert page.evaluate("document.documentElement.dataset.tab") == "explore"


def save(page: Any, kind: str) -> str:
    if page.locator(".figures[open]").count() == 0:
        open_details(page)
    with page.expect_download() as download:
        page.locator(f".downloads .{kind}").click()
    assert download.value.suggested_filename == f"guidance-lab-method-table1.{kind}"
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_downloads_and_table_hold_the_same_figures(open_page: Open, files: dict[str, Any]) -> None:
    page = wait_until_open(open_page(TAB + "&tradeoff_group=method&tradeoff_compare=table1"))
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
    cells = page.locator(".figures tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(c => c.textContent))"
    )
    assert len(cells) == len(rows)
    assert cells[3][:4] == ["CFG", "0.3", "1.3", "0.400 (0.380 to 0.420)"]


def test_the_address_holds_the_state(open_page: Open) -> None:
    page = wait_until_open(open_page(TAB))
    choose(page, "Steps T")
    compare(page, "Table 2: ImageNet 128×128")
    query = dict(parse_qsl(urlsplit(page.url).query))
    assert query == {"tab": "tradeoff", "tradeoff_group": "steps", "tradeoff_compare": "table2"}
    again = wait_until_open(open_page("?" + urlsplit(page.url).query))
    assert again.get_by_role("radio", name="Steps T").is_checked()
    assert again.locator(".second figcaption b").inner_text() == "the paper’s Table 2: ImageNet 128×128"
    choose(again, "Guidance strength")
    compare(again, "nothing")
    assert urlsplit(again.url).query == "tab=tradeoff"
    assert (
        wait_until_open(open_page(TAB + "&tradeoff_group=nonsense")).get_by_role("radio", name="Guidance").is_checked()
    )


def test_a_plain_sentence_comes_first_and_figures_intervals_and_method_on_a_click(open_page: Open) -> None:
    page = wait_until_open(open_page(TAB))
    assert page.locator(".tradeoff .sentence").inner_text() == (
        "Pictures get closest to the data at w = 0.3. Beyond, they become surer of their class and less varied."
    )
    hidden = page.locator(".conclusions, .basis, .table, .fid .interval")
    assert not any(each.is_visible() for each in hidden.all())
    open_details(page)
    assert all(each.is_visible() for each in hidden.all())
    found = page.locator(".conclusions li").all_inner_texts()
    assert found[0].startswith("FID is lowest at w = 0.3, 0.400 (0.380 to 0.420)")
    verdicts = {text.split(": ")[-1] for text in found}
    assert verdicts == {"as in the paper.", "as the paper says of fidelity.", "as the paper says of diversity."}
    assert (
        page.locator(".basis")
        .inner_text()
        .startswith(
            "FID over 64 penultimate features of the classifier, which is right on 92.15 % of the test pictures; not "
            "comparable with FID over Inception features. 10,000 samples, seed 0."
        )
    )


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [(390, 844, "dark"), (1280, 720, "dark"), (1280, 960, "light"), (2560, 1440, "dark")],
)
def test_the_charts_fit_the_window(open_page: Open, width: int, height: int, scheme: str) -> None:
    page = wait_until_open(open_page(TAB, viewport={"width": width, "height": height}, color_scheme=scheme))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for chart in page.locator(".tradeoff svg.chart").all():
        box = chart.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    if width >= 1280:
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    line, paper = page.evaluate(
        """(([a, b]) => [a.stroke, b.backgroundColor])([document.querySelector('.tradeoff .line'),
           document.querySelector('.tradeoff')].map(node => getComputedStyle(node)))"""
    )
    assert line == {"light": "rgb(185, 78, 39)", "dark": "rgb(240, 144, 95)"}[scheme]
    brightness = sum(map(int, paper.removeprefix("rgb(").removesuffix(")").split(",")))
    assert (brightness > 600) == (scheme == "light")
