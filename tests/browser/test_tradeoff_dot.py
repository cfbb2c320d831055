"""The dot on the curves of the Trade-off tab and of Explore stands at what Explore shows."""

from pathlib import Path
from typing import Any

import pytest

from cfg_core.guidance.rules.interval import HIGH
from cfg_core.serving.engine import Engine
from cfg_core.serving.sessions import Demand
from tests.curve_files import record, write

from .conftest import Open
from .tradeoff_page import AXES, TAB, change_explore, choose, dot_position, page_over, point_position, wait_until_open


@pytest.fixture(scope="module")
def address(address_with_curves: str) -> str:
    return address_with_curves


def test_the_dot_follows_the_slider_of_explore(open_page: Open) -> None:
    page = open_page("?samples=1&steps=12&w=2.5")
    page.wait_for_function("window.explored")
    page.get_by_role("tab", name="Trade-off").click()
    wait_until_open(page)
    for chart in AXES:
        halfway = [
            sum(pair) / 2
            for pair in zip(point_position(page, 0, "2", chart), point_position(page, 0, "3", chart), strict=True)
        ]
        assert dot_position(page, chart) == pytest.approx(halfway, abs=0.01)
        assert page.locator(f".{chart} .dot-name").text_content() == "w = 2.5between measured points"
    change_explore(page, w=1)
    assert dot_position(page) == pytest.approx(point_position(page, 0, "1"))
    assert page.locator(".fid .dot-name").text_content() == "w = 1"
    change_explore(page, w=-0.5)
    assert dot_position(page) == pytest.approx(point_position(page, 0, "0"))
    assert page.locator(".fid .dot-name").text_content() == "w = −0.5measured from w = 0"
    change_explore(page, w=3, sampler="ancestral", steps=16)
    assert (
        "the dot is on the first curve of the model, for these settings were not measured"
        in page.locator(".follows").inner_text()
    )
    choose(page, "Steps T")
    assert dot_position(page) == pytest.approx(point_position(page, 1, "3")), "on the curve of its own settings"
    change_explore(page, w=4)
    assert dot_position(page) == pytest.approx(point_position(page, 1, "3"))
    assert page.locator(".fid .dot-name").text_content() == "w = 4measured up to w = 3"
    choose(page, "p_uncond")
    assert page.locator(".tradeoff .dot").count() == 0
    assert "no curve here is of it" in page.locator(".follows").inner_text()


def test_a_link_to_the_tab_has_the_dot_of_its_w(open_page: Open, engine: Engine) -> None:
    before = set(engine.sessions.tokens)
    page = wait_until_open(open_page(TAB + "&w=2"))
    page.wait_for_function("window.explored")
    assert dot_position(page) == pytest.approx(point_position(page, 0, "2"))
    [token] = set(engine.sessions.tokens) - before
    assert engine.sessions.get(token).demand == Demand(), "nothing is drawn for a tab that is not seen"


def test_a_point_opens_with_the_parameters_of_its_curve_and_the_dot_tells_those_apart(
    browser: Any, engine: Engine, tmp_path: Path
) -> None:
    model, parameters = engine.checkpoint.hash, {"log_snr_low": -2.0}
    files = {
        "main.json": record(model=model),
        "interval.json": record(model=model, rule="interval", parameters=parameters),
    }
    with page_over(browser, engine, write(tmp_path, files)) as page:
        choose(page, "Method")
        page.locator('.fid [data-curve="1"][data-w="2"]').click(force=True)
        page.wait_for_function("window.explored?.w === 2")
        shown = {"rule": "interval", "log_snr_low": -2.0, "log_snr_high": HIGH.default}
        assert shown.items() <= page.evaluate("explored").items()
        page.get_by_role("tab", name="Trade-off").click()
        follows, elsewhere = page.locator(".follows"), "these settings were not measured"
        assert elsewhere not in follows.inner_text()
        change_explore(page, log_snr_low=0)
        assert elsewhere in follows.inner_text()


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
    change_explore(page, steps=2)
    page.locator(".explore .measured").wait_for()
    assert page.locator(".explore .measured").inner_text() == "Measured with DPM-Solver++ 2M, 12 steps."
    assert curve.locator(".dot").count() == 0, "the curve is of other settings"
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.set_viewport_size({"width": 1280, "height": 720})
    assert curve.is_visible()
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.set_viewport_size({"width": 1024, "height": 768})
    assert not curve.is_visible()


def test_in_explore_the_small_curve_names_where_its_measurements_end(open_page: Open) -> None:
    page = open_page("?samples=1&steps=12&w=-0.5")
    page.wait_for_function("document.querySelector('.guided canvas')?.dataset.done === 'true'")
    assert page.locator(".explore aside .chart .dot-name").text_content() == "w = −0.5measured from w = 0"
