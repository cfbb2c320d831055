"""Inside a step as a person uses it. Each picture must be what the sampling loop gives, within one grey level."""

import base64
import re
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch

from cfg_core.diffusion.schedule import alpha_sigma
from cfg_core.grids.request import GridRequest
from cfg_core.grids.trajectory import Trajectory, draw_trajectory, guided_at
from cfg_core.serving.engine import Engine

from .conftest import Open
from .explore_page import READ, wait_until_idle

TAB = "?tab=step&class=8&samples=4&steps=6&w=2"
IDLE = "() => document.querySelector('.lab.step')?.dataset.state === 'idle'"
SERVER = re.compile("component_server")


def settled(page: Any, **place: Any) -> Any:
    """The page once it rests at this place."""
    page.wait_for_function(
        """place => {
          const found = document.querySelector('.lab.step')?.dataset ?? {};
          return Object.entries({state: 'idle', ...place}).every(([name, value]) => found[name] === String(value));
        }""",
        arg=place,
    )
    return page


@cache
def trajectory(engine: Engine, request: GridRequest) -> Trajectory:
    found = draw_trajectory(engine.checkpoint.denoiser, request)
    assert found
    return found


def request(engine: Engine, **changes: Any) -> GridRequest:
    return replace(GridRequest(engine.checkpoint.hash, (8,), w=(2.0,), samples=4, steps=6), **changes).guided_by(
        engine.checkpoint.guide
    )


def grey(values: np.ndarray, reach: float) -> np.ndarray:
    return np.round((np.clip(values[0] / reach, -1, 1) + 1) * 127.5)


def assert_shows(page: Any, engine: Engine, of: GridRequest, sample: int, step: int, w: float, view: str = "x") -> None:
    """The pictures are those of this place, within one grey level. sample, step: from 1."""
    settled(page, sample=sample, step=step, w=f"{w:g}", view=view)
    way = trajectory(engine, of)
    z, *both = way.parts[sample - 1, step - 1]
    alpha, sigma = (float(c) for c in alpha_sigma(torch.tensor(way.log_snrs[step - 1])))
    c, u = (alpha * z - sigma * v if view == "x" else sigma * z + alpha * v for v in both)
    guided = guided_at(engine.checkpoint.denoiser, way, sample - 1, step - 1, w)[0 if view == "x" else 1]
    reach = 1 if view == "x" else 3
    for name, values, end in (
        ("noisy", z, 1),
        ("conditional", c, reach),
        ("unconditional", u, reach),
        ("guided", guided, reach),
    ):
        read = page.locator(f".lab.step .{name} canvas").evaluate(READ)
        found = np.frombuffer(base64.b64decode(read["data"]), np.uint8).reshape(read["height"], read["width"], 4)
        assert np.abs(found[..., 0] - grey(values, end)).max() <= 1, name
    assert page.locator(".lab.step .guided").get_attribute("data-w") == f"{w:g}"


def query(page: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def test_w_moves_the_guided_prediction_in_the_page_and_it_is_what_the_server_would_draw(
    open_page: Open, engine: Engine
) -> None:
    page = settled(open_page(TAB + "&sample=3&step=3"))
    of = request(engine)
    assert_shows(page, engine, of, 3, 3, 2.0)
    calls: list[str] = []
    page.on("request", lambda sent: calls.append(sent.url))
    slider = page.get_by_role("slider", name="guidance strength w at this step")
    slider.focus()
    for key, w in (("ArrowRight", 2.1), ("End", 8.0), ("Home", -1.0)):
        page.keyboard.press(key)
        assert_shows(page, engine, of, 3, 3, w)
        assert query(page)["step_w"] == f"{w:g}"
    page.get_by_text("ε̂ noise").click()
    assert_shows(page, engine, of, 3, 3, -1.0, "eps")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 12 + 5 / 9 * (box["width"] - 24), box["y"] + box["height"] / 2)
    assert_shows(page, engine, of, 3, 3, 4.0, "eps")
    assert calls == []
    assert query(page) | {"sample": "3", "step": "3", "step_w": "4", "step_view": "eps"} == query(page)


def test_the_steps_from_noise_to_clean_by_keys_by_the_chart_and_by_the_link(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(TAB + "&step=1"))
    of, level = request(engine), page.get_by_role("slider", name="step, from noise to clean")
    level.focus()
    page.keyboard.press("ArrowRight")
    assert_shows(page, engine, of, 1, 2, 2.0)
    page.keyboard.press("End")
    assert_shows(page, engine, of, 1, 6, 2.0)
    log_snrs = trajectory(engine, of).log_snrs
    assert level.get_attribute("aria-valuetext").startswith(f"λ = {log_snrs[-1]:.1f}")
    box = page.locator(".lab.step .chart").bounding_box()
    share = (log_snrs[3] - log_snrs[0]) / (log_snrs[-1] - log_snrs[0])
    page.mouse.click(box["x"] + 46 + share * (box["width"] - 60) + 3, box["y"] + 20)
    assert_shows(page, engine, of, 1, 4, 2.0)
    thumb = page.locator(".lab.step .chart .now").evaluate("line => line.getBoundingClientRect().x")
    assert thumb == pytest.approx(box["x"] + 46 + share * (box["width"] - 60), abs=1.5)
    again = settled(open_page("?" + urlsplit(page.url).query))
    assert_shows(again, engine, of, 1, 4, 2.0)


def test_the_chart_has_a_line_a_sample_its_mean_and_the_chosen_one_marked(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(TAB + "&step=2"))
    assert page.locator(".lab.step .chart .other").count() == 4
    sheet = page.locator(".lab.step .samples canvas").bounding_box()
    page.mouse.click(sheet["x"] + 0.75 * sheet["width"], sheet["y"] + 0.75 * sheet["height"])
    of = request(engine)
    assert_shows(page, engine, of, 4, 2, 2.0)
    norms = trajectory(engine, of).norms_x
    drawn = page.locator(".lab.step .chart .chosen").get_attribute("d").removeprefix("M").split("L")
    heights = np.array([float(point.split(",")[1]) for point in drawn])
    lowest, highest = heights.max(), heights.min()
    shares = (lowest - heights) / (lowest - highest)
    mine = norms[:, 3]
    assert shares == pytest.approx((mine - mine.min()) / (mine.max() - mine.min()), abs=1e-3)
    said = page.locator(".lab.step .sentence").inner_text()
    assert f"{float(f'{mine[1]:.3g}'):g} apart" in said
    page.get_by_role("slider", name="sample").focus()
    page.keyboard.press("ArrowLeft")
    assert_shows(page, engine, of, 3, 2, 2.0)


def test_outside_its_interval_the_rule_leaves_the_conditional_prediction(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(TAB + "&rule=interval&step=1&step_w=6"))
    of = request(engine, rule="interval")
    for step, inside in enumerate(trajectory(engine, of).acts, 1):
        assert_shows(page, engine, of, 1, step, 6.0)
        assert ("does not guide at this λ" in page.locator(".lab.step .sentence").inner_text()) == (not inside)
        page.get_by_role("slider", name="step, from noise to clean").focus()
        page.keyboard.press("ArrowRight")
    assert page.locator(".lab.step .chart .band").count() == 1


def test_a_rule_that_is_not_linear_is_combined_by_the_server(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(TAB + "&rule=classifier&step=3"))
    of = request(engine, rule="classifier")
    assert_shows(page, engine, of, 1, 3, 2.0)
    page.get_by_role("slider", name="guidance strength w at this step").focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    settled(page)
    w = float(query(page)["step_w"])
    assert w > 2
    assert_shows(page, engine, of, 1, 3, w)


def test_it_opens_from_a_sample_of_explore_by_double_click_and_by_enter(open_page: Open, engine: Engine) -> None:
    page = wait_until_idle(open_page(TAB.replace("tab=step&", "")))
    box = page.locator(".pane.guided canvas").bounding_box()
    page.mouse.dblclick(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    settled(page)
    step = int(query(page)["step"])
    assert_shows(page, engine, request(engine), 2, step, 2.0)
    assert page.locator('.shell [role="tab"][aria-selected="true"]').inner_text() == "Inside a step"
    page.get_by_role("tab", name="Explore").click()
    wait_until_idle(page)
    page.locator(".pane.unguided canvas").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    settled(page, sample=3)
    of = request(engine, w=(0.0,))
    assert_shows(page, engine, of, 3, int(query(page)["step"]), 0.0)
    assert query(page)["step_way"] == "0"
    again = settled(open_page("?" + urlsplit(page.url).query))
    assert_shows(again, engine, of, 3, int(query(page)["step"]), 0.0)


def test_it_follows_explore_and_keeps_the_sample_and_the_step(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(TAB + "&sample=2&step=4"))
    page.get_by_role("tab", name="Explore").click()
    wait_until_idle(page)
    page.locator(".explore input.seed").fill("11")
    page.keyboard.press("Enter")
    wait_until_idle(page)
    page.get_by_role("tab", name="Inside a step").click()
    page.wait_for_function("document.querySelector('.lab.step .settings').textContent.includes('seed 11')")
    assert_shows(page, engine, request(engine, seed=11), 2, 4, 2.0)


def test_a_bad_link_is_one_sentence_and_the_rest_is_shown(open_page: Open) -> None:
    page = settled(open_page(TAB + "&sample=9&step=2&step_w=x"))
    assert page.locator(".lab.step .message").inner_text() == (
        "In this link, sample must be a whole number from 1 to 4, got 9; step_w must be a number from -1 to 8, got 'x'."
    )
    assert query(page) | {"sample": "1", "step": "2"} == query(page)
    page = settled(open_page(TAB + "&step_class=12"))
    assert page.locator(".lab.step .message").inner_text() == "class must be a whole number from 0 to 9, got 12"


def test_a_server_that_is_away_is_asked_again(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(TAB + "&sample=1&step=2", flaky=True))
    page.route(SERVER, lambda route: route.abort())
    page.get_by_role("slider", name="sample").focus()
    page.keyboard.press("ArrowRight")
    page.locator(".lab.step .message", has_text="The server does not answer").wait_for()
    page.unroute(SERVER)
    assert_shows(page, engine, request(engine), 2, 2, 2.0)
    assert not page.locator(".lab.step .message").is_visible()


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900), (1920, 1080), (2560, 1440), (1024, 768), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_on_one_screen(open_page: Open, size: tuple[int, int], scheme: str) -> None:
    width, height = size
    page = settled(open_page(TAB, viewport={"width": width, "height": height}, color_scheme=scheme))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = page.evaluate(
        """parts => Object.fromEntries(parts.map(part => {
          const {left, right, top, bottom} = document.querySelector('.lab.step ' + part).getBoundingClientRect();
          return [part, [left, right, top, bottom]];
        }))""",
        [".pictures", ".strength", ".norms", ".sentence", ".samples", ".views", "footer"],
    )
    for one, (left, right, top, bottom) in boxes.items():
        assert left >= 0
        assert right <= width
        for other, (left_2, right_2, top_2, bottom_2) in boxes.items():
            apart = left_2 >= right - 1 or right_2 <= left + 1 or top_2 >= bottom - 1 or bottom_2 <= top + 1
            assert apart or one == other, (one, other)
    if width >= 1024:
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    else:  # the guided picture and its slider are
        assert boxes[".strength"][3] <= height
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.lab.step .pictures canvas')].map(c => c.clientWidth))"
    )
    assert smallest >= min(0.16 * width, 0.31 * height)


def test_every_control_has_a_name_and_is_reached_by_keys(open_page: Open) -> None:
    page = settled(open_page(TAB))
    names = [
        ("slider", "guidance strength w at this step"), ("slider", "step, from noise to clean"), ("slider", "sample"),
        ("radio", "x̂, the sample"), ("radio", "ε̂, the noise"), ("button", "copy link"),
    ]  # fmt: skip
    for role, name in names:
        assert page.get_by_role(role, name=name, exact=True).count() == 1, (role, name)
    assert page.locator(".lab.step").get_by_role("img").count() == 6
    assert all(node.get_attribute("aria-label") for node in page.locator(".lab.step").get_by_role("img").all())
    page.locator("h1").click()
    order = ["step", "enter", "open-lesson", "languages", "w", "level", "sample", "link", "x"]
    reached = []
    for _ in order:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("(n => n.className || n.value || n.name)(document.activeElement)"))
    assert reached == order
