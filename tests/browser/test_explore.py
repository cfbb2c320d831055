"""Explore as a person uses it. Whatever is on the canvas must be, bit for bit, what the sampling loop gives."""

import base64
import math
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch

from cfg_core.checkpoints.catalog import ModelInfo, describe_model
from cfg_core.checkpoints.format import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule
from cfg_core.grids.drawing import begin_grid, pixels
from cfg_core.grids.request import GridRequest
from cfg_core.sampling.loop import generate
from cfg_core.serving import worker as worker_module
from cfg_core.serving import zerogpu
from cfg_core.serving.engine import Engine
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry, load_model
from cfg_core.serving.sessions import Demand
from cfg_core.serving.zerogpu import draw_on_gpu
from cfg_core.ui.requests import FIELDS
from tests.conftest import served, small_network

from .conftest import CHECKPOINT, Open

QUICK = "?samples=4&steps=3"

RESTING = """() => document.querySelector('.explore')?.dataset.state === 'resting'
  && [...document.querySelectorAll('.pane canvas')].every(canvas => canvas.dataset.done === 'true')"""

READ = """canvas => {
  const {data, width, height} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return {width, height, data: btoa(Array.from(data, byte => String.fromCharCode(byte)).join(''))};
}"""

RECORD = """() => {
  const pane = document.querySelector('.pane.guided'), canvas = pane.querySelector('canvas'), seen = new Map();
  window.record = () => [...seen.values()];
  (function look() {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const pixels = btoa(Array.from(data, byte => String.fromCharCode(byte)).join(''));
    const shown = {...canvas.dataset, caption: pane.querySelector('.shown').textContent, pixels};
    seen.set(JSON.stringify(shown), shown);
    requestAnimationFrame(look);
  })();
}"""


def settled(page: Any) -> Any:
    page.wait_for_function(RESTING)
    return page


def sheet(request: GridRequest, pictures: np.ndarray) -> np.ndarray:
    """The canvas (row, column, RGBA) that shows these pictures (w, class, sample, S, S, 1)."""
    tiles = pictures[0].swapaxes(0, 1).reshape(-1, *pictures.shape[3:5])
    columns = len(request.classes) if len(request.classes) > 1 else math.ceil(math.sqrt(request.samples))
    rows, pitch = math.ceil(len(tiles) / columns), pictures.shape[3] + 1
    canvas = np.zeros((rows * pitch - 1, columns * pitch - 1, 4), np.uint8)
    for n, tile in enumerate(tiles):
        top, left = n // columns * pitch, n % columns * pitch
        canvas[top : top + pitch - 1, left : left + pitch - 1] = np.stack([tile] * 3 + [np.full_like(tile, 255)], -1)
    return canvas


def frames(checkpoint: Checkpoint, request: GridRequest) -> list[np.ndarray]:
    """What the canvas shows after each evaluation, from the sampling loop."""
    states = generate(checkpoint.denoiser, begin_grid(checkpoint.denoiser, request))
    return [sheet(request, pixels(request, state.x)) for state, _ in states if state.x is not None]


def canvas(page: Any, pane: str) -> np.ndarray:
    read = page.locator(f".explore >> .pane.{pane} canvas").evaluate(READ)
    return np.frombuffer(base64.b64decode(read["data"]), np.uint8).reshape(read["height"], read["width"], 4)


def query(page: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def named(page: Any, engine: Engine) -> GridRequest:
    """The request that the URL names."""
    fields = {name: query(page)[name] for name in FIELDS}
    return GridRequest.parse(fields, fields["model"], len(engine.checkpoints[fields["model"]].config.classes))


def holds(page: Any, engine: Engine, **expected: str) -> GridRequest:
    """Once the page rests: the URL says this, and canvases, captions and names are of exactly what the URL says."""
    settled(page)
    said = query(page)
    assert said | expected == said
    request = named(page, engine)
    for pane, w in (("unguided", 0.0), ("guided", request.w[0])):
        shown = page.locator(f".explore >> .pane.{pane} canvas")
        drawn = frames(engine.checkpoints[request.checkpoint], replace(request, w=(w,)))
        assert np.array_equal(canvas(page, pane), drawn[-1]), pane
        assert float(shown.get_attribute("data-w")) == w
        assert shown.get_attribute("data-classes") == ",".join(map(str, request.classes))
        assert (
            float(page.locator(f".explore >> .pane.{pane} .shown").inner_text().removeprefix("w = ").replace("−", "-"))
            == w
        )
    assert (
        float(page.locator(".explore >> .strength output b").inner_text().removeprefix("w = ").replace("−", "-"))
        == request.w[0]
    )
    return request


def thumb(page: Any, w: float, low: float = 0.0) -> tuple[float, float]:
    """Where the thumb of the guidance slider is at w."""
    box = page.locator(".explore >> input.w").bounding_box()
    return box["x"] + 12 + (w - low) / (8 - low) * (box["width"] - 24), box["y"] + box["height"] / 2 - 10


def middle(page: Any, stop: str) -> tuple[float, float]:
    box = page.locator(".explore >> .rail li", has=page.get_by_text(stop, exact=True)).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_it_starts_with_pictures(open_page: Open, engine: Engine) -> None:
    page = open_page()
    request = holds(page, engine)
    assert request == GridRequest(engine.checkpoint.hash, (0,))
    assert (
        page.locator(".explore >> .pane.guided canvas").get_attribute("aria-label")
        == "16 guided samples of T-shirt at w = 3"
    )
    assert page.locator(".explore >> .rail li").all_inner_texts() == [*engine.checkpoint.config.classes, "All"]
    assert not np.array_equal(canvas(page, "unguided"), canvas(page, "guided"))


def test_dragging_w_never_shows_a_picture_under_the_wrong_w(open_page: Open, engine: Engine) -> None:
    page = settled(open_page("?samples=1&steps=3"))
    before = holds(page, engine)
    page.evaluate(RECORD)
    page.mouse.move(*thumb(page, 3))
    page.mouse.down()
    for w in np.linspace(3, 7, 30):  # fast
        page.mouse.move(*thumb(page, w))
    for w in (0.5, 5, 1.7):  # with rests, the button held
        page.mouse.move(*thumb(page, w))
        page.wait_for_function("w => document.querySelector('.guided canvas').dataset.w == w", arg=w)
    page.mouse.move(*thumb(page, 6.2), steps=20)
    holds(page, engine, w="6.2")  # the last position is not lost, though nothing has been released
    page.mouse.up()
    holds(page, engine, w="6.2")
    shown = page.evaluate("record()")
    assert {"3", "0.5", "5", "1.7", "6.2"} <= {each["w"] for each in shown}
    for each in shown:
        at = frames(engine.checkpoint, replace(before, w=(float(each["w"]),)))[int(each["evaluations"]) - 1]
        assert base64.b64decode(each["pixels"]) == at.tobytes(), each["caption"]
        step = "" if each["done"] == "true" else f"step {each['evaluations']} of 3 · "
        assert each["caption"].startswith(f"{step}w = ")
        assert float(each["caption"].removeprefix(f"{step}w = ")) == float(each["w"])


def test_the_class_by_click_drag_and_keys(open_page: Open, engine: Engine) -> None:
    page = settled(open_page("?samples=1&steps=1"))
    page.mouse.click(*middle(page, "Bag"))
    holds(page, engine, **{"class": "8"})
    page.mouse.move(*middle(page, "Trouser"))
    page.mouse.down()
    page.mouse.move(*middle(page, "Coat"), steps=12)
    holds(page, engine, **{"class": "4"})
    page.mouse.up()
    page.mouse.move(*middle(page, "Boot"))  # no longer dragging
    rail = page.get_by_role("slider", name="class")
    rail.press("ArrowRight")
    holds(page, engine, **{"class": "5"})
    assert rail.get_attribute("aria-valuetext") == "Sandal"
    assert page.locator(".explore >> .rail li.on").inner_text() == "Sandal"
    rail.press("Home")
    holds(page, engine, **{"class": "0", "samples": "1"})


def test_touch_taps_a_class_and_a_scroll_over_the_rail_taps_none(open_page: Open, engine: Engine) -> None:
    page = settled(
        open_page("?samples=1&steps=1", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    )
    page.touchscreen.tap(*middle(page, "Dress"))
    holds(page, engine, **{"class": "3"})
    x, y = middle(page, "Bag")
    touch = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        *[("touchMove", [{"x": x, "y": y - d}]) for d in range(10, 160, 10)],
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("scrollY > 0")
    holds(page, engine, **{"class": "3"})


def test_a_newer_request_replaces_an_older_one(open_page: Open, engine: Engine) -> None:
    page = open_page("?sampler=ancestral&steps=1000&samples=4")
    page.wait_for_function("document.querySelector('.guided canvas')?.dataset.evaluations > 1")
    page.get_by_text("Advanced").click()
    page.locator(".explore").get_by_label("steps").fill("2")
    page.locator(".explore").get_by_label("steps").press("Enter")
    holds(page, engine, steps="2")
    with engine.lock:
        wanted = [job.request for session in engine.sessions for job in session.jobs]
    assert all(request.steps != 1000 for request in wanted)


def test_all_classes_at_once(open_page: Open, engine: Engine) -> None:
    page = settled(open_page("?steps=2"))
    page.mouse.click(*middle(page, "All"))
    request = holds(page, engine, **{"class": "all", "samples": "4"})
    assert request.classes == tuple(range(10))
    for pane in ("unguided", "guided"):
        assert page.locator(f".explore >> .{pane} .names span").all_inner_texts() == list(
            engine.checkpoint.config.classes
        )
    page.mouse.click(*middle(page, "Shirt"))
    holds(page, engine, **{"class": "6", "samples": "16"})
    assert page.locator(".explore >> .names span").count() == 0


def test_seed_and_dice(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK))
    seed = page.locator(".explore").get_by_label("seed", exact=True)
    seed.fill("123")
    seed.press("Enter")
    holds(page, engine, seed="123")
    page.get_by_role("button", name="another seed").click()
    request = holds(page, engine)
    assert seed.input_value() == str(request.seed)
    assert request.seed != 123


def test_w_below_zero_waits_under_advanced(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK))
    slider = page.get_by_role("slider", name="guidance strength")
    slider.press("Home")
    holds(page, engine, w="0")
    page.get_by_text("Advanced").click()
    page.locator(".explore").get_by_label("w from −1").check()
    page.mouse.click(*thumb(page, -0.5, low=-1))
    holds(page, engine, w="-0.5")
    slider.press("Home")
    unconditional = holds(page, engine, w="-1")
    other = frames(engine.checkpoint, replace(unconditional, classes=(5,)))[-1]
    assert np.array_equal(canvas(page, "guided"), other), "at w = −1 the class must not matter"
    assert page.locator(".explore >> .track li").all_inner_texts() == ["−1", *map(str, range(9))]
    page.locator(".explore").get_by_label("w from −1").uncheck()
    holds(page, engine, w="0")


def test_sampler_steps_and_number_of_pictures(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK))
    page.get_by_text("Advanced").click()
    page.locator(".explore").get_by_label("sampler").select_option("EDM Heun")
    holds(page, engine, sampler="heun", steps="12")
    assert page.locator(".explore").get_by_label("steps").input_value() == "12"
    page.locator(".explore").get_by_label("steps").fill("2")
    page.locator(".explore").get_by_label("steps").press("Tab")
    page.locator(".explore").get_by_label("pictures").select_option("9")
    holds(page, engine, sampler="heun", steps="2", samples="9")


def test_a_copied_link_restores_everything(open_page: Open, engine: Engine) -> None:
    page = settled(open_page("?class=8&w=0.25&seed=11&samples=4&sampler=ddim&steps=3&kept=1"))
    state = {"class": "8", "w": "0.25", "seed": "11", "samples": "4", "sampler": "ddim", "steps": "3"}
    holds(page, engine, **state, rule="cfg", model=engine.checkpoint.hash, kept="1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="copy link").click()
    page.get_by_role("button", name="link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    other = settled(open_page("?" + urlsplit(link).query))
    assert other.url == link
    holds(other, engine, **state)
    assert other.locator(".explore").get_by_role("slider", name="class").get_attribute("aria-valuetext") == "Bag"
    assert other.locator(".explore").get_by_label("seed", exact=True).input_value() == "11"
    assert other.locator(".explore .sampler").input_value() == "ddim"
    for pane in ("unguided", "guided"):
        assert np.array_equal(canvas(other, pane), canvas(page, pane))


def test_a_nonsense_link_gets_a_sentence_and_pictures(open_page: Open, engine: Engine) -> None:
    page = settled(open_page("?class=banana&w=nan&seed=x&steps=0&samples=1"))
    assert page.get_by_role("alert").inner_text() == (
        "In this link, class must be a whole number from 0 to 9, got 'banana'; w must be a number from -1 to 8, got "
        "nan; seed must be a whole number from 0 to 4294967295, got 'x'; steps must be a whole number from 1 to 1024, "
        "got 0."
    )
    holds(page, engine, **{"class": "0", "w": "3", "seed": "7", "steps": "12", "samples": "1"})
    page.mouse.click(*middle(page, "Coat"))
    holds(page, engine, **{"class": "4"})
    assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize(("field", "value", "kept"), [("steps", "0", "3"), ("seed", "x", "7"), ("seed", "", "7")])
def test_nonsense_in_a_field_gets_a_sentence(
    open_page: Open, engine: Engine, field: str, value: str, kept: str
) -> None:
    page = settled(open_page(QUICK))
    page.get_by_text("Advanced").click()
    control = page.locator(".explore").get_by_label(field, exact=True)
    control.fill(value)
    control.press("Enter")  # the focus stays
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text().startswith(f"{field} must be a whole number from")
    assert control.input_value() == kept
    holds(page, engine, **{field: kept})
    page.get_by_role("slider", name="guidance strength").press("ArrowRight")
    holds(page, engine, w="3.1")
    assert page.get_by_role("alert").count() == 0


def test_two_pages_do_not_disturb_each_other(open_page: Open, engine: Engine) -> None:
    one, two = open_page(QUICK), open_page(QUICK + "&class=5&w=1&seed=3")
    settled(one)
    settled(two)
    one.mouse.click(*middle(one, "Dress"))
    two.get_by_role("slider", name="guidance strength").press("End")
    holds(one, engine, **{"class": "3", "w": "3", "seed": "7"})
    holds(two, engine, **{"class": "5", "w": "8", "seed": "3"})


def test_a_page_that_was_forgotten_goes_on(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK))
    for token in engine.sessions.tokens:  # as after a long silence
        engine.leave(token)
    page.get_by_role("slider", name="guidance strength").press("End")
    holds(page, engine, w="8")
    assert page.get_by_role("alert").count() == 0


def test_a_server_out_of_reach_is_told_and_tried_again(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK, flaky=True))
    page.route(re.compile("component_server"), lambda route: route.abort())
    page.mouse.click(*middle(page, "Coat"))
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text() == "The server does not answer; trying again."
    page.unroute(re.compile("component_server"))
    page.get_by_role("alert").wait_for(state="hidden")
    holds(page, engine, **{"class": "4"})


def test_a_failing_network_is_told_and_outlived(
    open_page: Open, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    page = settled(open_page(QUICK + "&seed=31"))  # nothing of it in the cache
    with monkeypatch.context() as patch:
        patch.setattr(engine.checkpoint.denoiser, "predict", fail)
        page.mouse.click(*middle(page, "Coat"))
        page.get_by_role("alert").wait_for()
        assert page.get_by_role("alert").inner_text() == "The pictures could not be drawn: out of memory"
        page.wait_for_function("document.querySelector('.explore').dataset.state === 'resting'")
    assert page.locator(".explore >> .guided canvas").get_attribute("data-classes") == "0", (
        "what is shown is still the T-shirt"
    )
    page.mouse.click(*middle(page, "Dress"))
    holds(page, engine, **{"class": "3"})


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [
        (390, 844, "dark"), (768, 1024, "light"), (1280, 720, "light"), (1280, 720, "dark"), (1280, 960, "light"),
        (1920, 1080, "dark"),
    ],
)  # fmt: skip
def test_it_fits(open_page: Open, width: int, height: int, scheme: str) -> None:
    page = settled(open_page(QUICK, viewport={"width": width, "height": height}, color_scheme=scheme))
    page.get_by_text("Advanced").click()
    overhang = """() => [...document.querySelectorAll('.explore *')].filter(node => !node.closest('.visually-hidden')
      && node.getBoundingClientRect().right > innerWidth).map(node => node.outerHTML)"""
    assert page.evaluate(overhang) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_text("Advanced").click()
    if width >= 1280:  # everything on one screen
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    else:  # the grids and the slider are
        assert page.locator(".explore >> .strength").evaluate(
            "node => node.getBoundingClientRect().bottom <= innerHeight"
        )
    ink, paper = page.evaluate(
        "(s => [s.color, s.backgroundColor])(getComputedStyle(document.querySelector('.explore')))"
    )
    brightness = [sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(","))) for color in (ink, paper)]
    assert brightness == sorted(brightness, reverse=scheme == "dark")


def test_the_words_never_move_the_slider(open_page: Open) -> None:
    page = settled(open_page("?samples=1&steps=1&w=-1"))
    slider = page.get_by_role("slider", name="guidance strength")
    boxes = set()
    for w in (-1, -0.5, 0, 0.5, 3, 8):
        page.mouse.click(*thumb(page, w, low=-1))
        settled(page)
        boxes.add((tuple(slider.bounding_box().values()), page.get_by_text("Advanced").bounding_box()["y"]))
    assert len(boxes) == 1


def test_the_keyboard_reaches_every_control_in_order(open_page: Open) -> None:
    page = settled(open_page(QUICK))
    page.get_by_text("Advanced").click()
    page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    page.locator("h1").click()
    reached = []
    for _ in range(23):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(n => n.closest('.strip')?.className || n.className || n.tagName)(document.activeElement)")
        )
        ring = page.evaluate(
            """(node => [node, node.closest('.rail')].filter(Boolean).some(n => getComputedStyle(n).outlineStyle
               !== 'none') || node.matches('.w:focus-visible'))(document.activeElement)"""
        )
        assert ring, f"{reached[-1]} shows no focus"
    aside = ["SUMMARY", "rule", "sampler", "steps", "samples", "below"]
    strip = ["strip"] * 8
    assert reached == ["BUTTON", "class", "CANVAS", "CANVAS", "w", *aside, *strip, "play", "step", "seed", "dice"]


def readings(page: Any, pane: str) -> list[float]:
    return [
        float(meter.get_attribute("value") or meter.evaluate("m => m.value"))
        for meter in page.locator(f".explore >> .pane.{pane} meter").all()
    ]


def test_the_meters_read_what_the_judge_says_of_what_is_shown(open_page: Open, engine: Engine) -> None:
    page = open_page("?class=8&w=4")
    request = holds(page, engine)
    for pane, w in (("unguided", 0.0), ("guided", 4.0)):
        shown = engine.set_demand(engine.admit(), [replace(request, w=(w,))]).frames[0].meter
        assert shown is not None
        assert readings(page, pane) == pytest.approx([shown.fidelity, shown.diversity], rel=1e-6)
        words = page.locator(f".explore >> .pane.{pane} .meters output").all_inner_texts()
        assert words == [f"{shown.fidelity:.2f}", f"{shown.diversity:.1f} of 16"]
    (_, plain), (_, guided) = readings(page, "unguided"), readings(page, "guided")
    assert guided < plain


def test_a_rule_is_chosen_and_stands_in_the_link(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK))
    page.get_by_text("Advanced").click()
    page.locator(".explore").get_by_label("rule").select_option("classifier")
    request = holds(page, engine, rule="classifier")
    assert request.rule == "classifier"
    assert page.locator(".explore >> .settings").inner_text().startswith("Classifier guidance, DPM-Solver++ 2M")
    assert page.locator(".explore >> .strength label small").inner_text() == "ε(z, c) − w σ ∇ log p(c|z)"


def test_every_control_has_a_name(open_page: Open) -> None:
    page = settled(open_page(QUICK))
    page.get_by_text("Advanced").click()
    for role, name in (
        ("slider", "class"), ("slider", "guidance strength w"), ("textbox", "seed"), ("textbox", "steps"),
        ("combobox", "sampler"), ("combobox", "pictures"), ("button", "another seed"), ("button", "copy link"),
        ("img", "4 unguided samples of T-shirt at w = 0"), ("img", "4 guided samples of T-shirt at w = 3"),
        ("progressbar", "denoising of the guided grid"), ("slider", "denoising"), ("button", "play the denoising"),
    ):  # fmt: skip
        assert page.get_by_role(role, name=name).count() == 1, (role, name)
    assert page.locator(".explore >> .visually-hidden[role=status]").inner_text() == "T-shirt, w = 3: 4 samples drawn."


# ---- the strip -----------------------------------------------------------------------------------------------------


def filled(page: Any) -> Any:
    page.wait_for_function("document.querySelector('.explore')?.dataset.missing === '0'")
    return settled(page)


def test_the_strip_shows_the_same_noises_at_other_w(open_page: Open, engine: Engine) -> None:
    page = filled(open_page(QUICK + "&class=8"))
    request = holds(page, engine)
    cells = page.locator(".explore >> .strip button")
    assert cells.all_inner_texts() == ["0", "0.5", "1", "2", "3", "4", "6", "8"]
    for cell, w in zip(cells.all(), (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0), strict=True):
        read = cell.locator("canvas").evaluate(READ)
        shown = base64.b64decode(read["data"])
        assert shown == frames(engine.checkpoint, replace(request, w=(w,)))[-1].tobytes(), w
    assert page.locator(".explore >> .strip .on").inner_text() == "3"
    cells.nth(6).click()
    holds(page, engine, w="6")
    assert page.locator(".explore >> .strip .on").inner_text() == "6"


def test_dragging_through_a_filled_strip_needs_no_server(open_page: Open, engine: Engine) -> None:
    page = filled(open_page(QUICK, flaky=True))
    before = holds(page, engine)
    page.route(re.compile("component_server"), lambda route: route.abort())
    page.evaluate(RECORD)
    page.mouse.move(*thumb(page, 3))
    page.mouse.down()
    for w in np.linspace(3, 7.9, 60):
        page.mouse.move(*thumb(page, w))
    page.wait_for_function("document.querySelector('.guided canvas').dataset.w === '8'")
    page.mouse.move(*thumb(page, 1.1))
    page.wait_for_function("document.querySelector('.guided canvas').dataset.w === '1'")
    for each in page.evaluate("record()"):
        at = frames(engine.checkpoint, replace(before, w=(float(each["w"]),)))[-1]
        assert base64.b64decode(each["pixels"]) == at.tobytes(), each["caption"]
    page.unroute(re.compile("component_server"))
    page.mouse.up()
    holds(page, engine, w="1.1")  # and then the exact w, where the thumb rests


def test_a_drag_that_ends_on_a_rung_is_in_the_link(open_page: Open, engine: Engine) -> None:
    page = filled(open_page(QUICK))
    page.mouse.move(*thumb(page, 3))
    page.mouse.down()
    page.mouse.move(*thumb(page, 3.9))
    page.mouse.move(*thumb(page, 4))
    page.mouse.up()
    holds(page, engine, w="4")
    assert page.locator(".explore >> .visually-hidden").inner_text() == "T-shirt, w = 4: 4 samples drawn."


def test_of_another_class_the_strip_shows_nothing_old(open_page: Open, engine: Engine, monkeypatch: Any) -> None:
    page = filled(open_page(QUICK + "&seed=41"))
    predict, go_on = engine.checkpoint.denoiser.predict, threading.Event()
    monkeypatch.setattr(engine.checkpoint.denoiser, "predict", lambda *a: (go_on.wait(30), predict(*a))[1])
    page.mouse.click(*middle(page, "Boot"))
    page.wait_for_function("document.querySelectorAll('.strip .missing').length === 8")
    assert page.locator(".explore >> .strip canvas").evaluate_all("all => all.every(canvas => canvas.width === 1)")
    assert page.locator(".explore >> .stale").count() == 2
    go_on.set()
    filled(page)
    assert page.locator(".explore >> .strip .missing").count() == page.locator(".explore >> .stale").count() == 0


def test_back_and_forth_between_classes_ends_where_it_should(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK + "&seed=43"))
    for stop in ("Bag", "Coat", "Bag", "Coat", "Bag", "T-shirt", "Bag", "T-shirt"):
        page.mouse.click(*middle(page, stop))
    holds(page, engine, **{"class": "0"})
    filled(page)
    holds(page, engine, **{"class": "0"})


def test_a_sample_is_shown_large_over_all_w(open_page: Open, engine: Engine) -> None:
    page = filled(open_page(QUICK))
    request = holds(page, engine)

    def cell(n: int) -> np.ndarray:
        read = page.locator(".explore >> .strip canvas").nth(n).evaluate(READ)
        return np.frombuffer(base64.b64decode(read["data"]), np.uint8).reshape(read["height"], read["width"], 4)

    def sample(w: float, row: int, column: int) -> np.ndarray:
        whole = frames(engine.checkpoint, replace(request, w=(w,)))[-1]
        return whole[29 * row : 29 * row + 28, 29 * column : 29 * column + 28]

    whole = cell(7)
    box = page.locator(".explore >> .guided canvas").bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    page.locator(".explore >> .guided .mark").wait_for()
    page.wait_for_function("document.querySelector('.strip canvas').width === 28")
    assert np.array_equal(cell(7), sample(8, 0, 1))
    page.mouse.move(0, 0)
    page.wait_for_function("document.querySelector('.strip canvas').width > 28")
    assert np.array_equal(cell(7), whole)
    page.locator(".explore >> .w").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.strip canvas').width === 28")
    assert np.array_equal(cell(0), sample(0, 1, 0))
    assert page.locator(".explore >> .visually-hidden").inner_text() == "sample 3 of 4, shown over all w"
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.strip canvas').width > 28")


def test_the_denoising_can_be_scrubbed_and_played(open_page: Open, engine: Engine) -> None:
    page = settled(open_page("?samples=4&steps=6"))
    request = holds(page, engine)
    scrubber = page.get_by_role("slider", name="denoising")
    scrubber.press("Home")
    page.wait_for_function("document.querySelector('.guided canvas').dataset.evaluations === '1'")
    scrubber.press("ArrowRight")
    for pane, w in (("unguided", 0.0), ("guided", 3.0)):
        page.wait_for_function(
            "pane => document.querySelector(pane).dataset.evaluations === '2'", arg=f".{pane} canvas"
        )
        assert np.array_equal(canvas(page, pane), frames(engine.checkpoint, replace(request, w=(w,)))[1])
        assert page.locator(f".explore >> .{pane} .shown").inner_text() == f"step 2 of 6 · w = {w}"
    page.evaluate(RECORD)
    page.locator(".explore >> .w").focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.guided canvas').dataset.evaluations === '6'")
    assert {"2", "3", "4", "5", "6"} <= {each["evaluations"] for each in page.evaluate("record()")}
    holds(page, engine)


def test_after_a_long_look_the_denoising_still_plays(open_page: Open, engine: Engine) -> None:
    page = filled(open_page(QUICK))
    for token in engine.sessions.tokens:  # as after a long silence
        engine.leave(token)
    page.get_by_role("slider", name="denoising").press("Home")
    page.locator(".explore >> .guided canvas[data-evaluations='1']").wait_for()
    request = named(page, engine)
    assert np.array_equal(canvas(page, "guided"), frames(engine.checkpoint, request)[0])


def test_with_reduced_motion_nothing_moves_by_itself(open_page: Open, engine: Engine) -> None:
    page = settled(open_page(QUICK, reduced_motion="reduce"))
    page.evaluate(RECORD)
    page.mouse.click(*middle(page, "Bag"))
    holds(page, engine, **{"class": "8"})
    assert {each["done"] for each in page.evaluate("record()")} == {"true"}
    page.get_by_role("button", name="play the denoising").click()
    page.wait_for_function("document.querySelector('.guided canvas').dataset.evaluations === '1'")


def test_a_closed_page_is_forgotten_at_once(open_page: Open, engine: Engine) -> None:
    before = set(engine.sessions.tokens)
    page = settled(open_page(QUICK))
    [token] = set(engine.sessions.tokens) - before
    page.close()
    assert engine.wait_for(lambda: token not in engine.sessions.tokens, 20)


def test_behind_another_tab_nothing_is_drawn_and_it_goes_on_when_seen_again(open_page: Open, engine: Engine) -> None:
    before = set(engine.sessions.tokens)
    page = open_page("?samples=4&steps=60&class=3")
    page.wait_for_function("+document.querySelector('.guided canvas')?.dataset.evaluations > 0")
    [token] = set(engine.sessions.tokens) - before
    page.get_by_role("tab", name="2-D lab").click()
    assert engine.wait_for(lambda: not engine.sessions.get(token).unfinished, 20)
    assert engine.sessions.get(token).demand == Demand()
    page.get_by_role("tab", name="Explore").click()
    holds(page, engine, **{"class": "3", "steps": "60"})
    assert set(engine.sessions.tokens) - before == {token}, "it is the same session, in its place"


def test_another_model_is_chosen_while_another_page_samples(browser: Any, engine: Engine) -> None:
    other = describe_model(CHECKPOINT.parent / "fashion-mnist-p-uncond-0.1")
    offers = [describe_model(CHECKPOINT), other]
    choice = ModelRegistry(engine, offers, lambda offered: load_model(offered, torch.device("cpu"), Path()))
    with served(engine, models=choice) as (address, _):
        one, two = browser.new_page(), browser.new_page()
        two.goto(address + "?samples=4&steps=40&class=3")
        two.wait_for_function("+document.querySelector('.guided canvas')?.dataset.evaluations > 0")
        one.goto(address + QUICK + "&class=8&w=2&rule=classifier")
        settled(one)
        assert one.get_by_label("model").locator("option").all_inner_texts() == [each.name for each in offers]
        one.get_by_label("model").select_option(label=other.name)
        one.wait_for_function("model => window.explored.model === model", arg=other.hash)
        holds(one, engine, **{"class": "8", "w": "2", "model": other.hash, "rule": "classifier"})
        assert "p_uncond 0.1" in one.locator("p.model").inner_text()
        holds(two, engine, **{"class": "3", "steps": "40", "model": offers[0].hash})
        one.reload()
        holds(one, engine, **{"class": "8", "model": other.hash})
        for page in (one, two):
            page.close()


def test_a_model_that_was_trained_on_since_the_page_came_is_the_chosen_one(
    browser: Any, engine: Engine, tmp_path: Path
) -> None:
    config, weights = engine.checkpoint.config, engine.checkpoint.denoiser.network.state_dict()
    save_checkpoint(tmp_path / "mine", config, {name: each + 0.001 for name, each in weights.items()})
    offers = [describe_model(CHECKPOINT), describe_model(tmp_path / "mine")]
    choice = ModelRegistry(engine, offers, lambda offered: load_model(offered, torch.device("cpu")))
    with served(engine, models=choice) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        settled(page)
        save_checkpoint(tmp_path / "mine", config, {name: each + 0.002 for name, each in weights.items()})
        newer = describe_model(tmp_path / "mine").hash
        page.get_by_label("model").select_option(label="mine")
        page.wait_for_function("model => window.explored.model === model", arg=newer)
        assert page.get_by_label("model").input_value() == newer
        holds(page, engine, model=newer)
        page.close()


def test_a_model_that_cannot_be_had_says_why(browser: Any, engine: Engine) -> None:
    def missing(_: ModelInfo) -> Model:
        raise CheckpointError("it is a model of diffusers, which is not installed: python -m pip install it")

    offers = [describe_model(CHECKPOINT), describe_model(CHECKPOINT.parent / "fashion-mnist-p-uncond-0.5")]
    with served(engine, models=ModelRegistry(engine, offers, missing)) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        settled(page)
        page.get_by_label("model").select_option(label=offers[1].name)
        page.get_by_role("alert").wait_for()
        settled(page)
        assert "which is not installed: python -m pip install it" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("model").input_value() == offers[0].hash
        page.close()


def elsewhere(engine: Engine, tmp_path: Path) -> ModelRegistry:
    """A model whose grids are drawn elsewhere, a strip at a time."""
    folder = tmp_path / "large"
    save_checkpoint(folder, engine.checkpoint.config, engine.checkpoint.denoiser.network.state_dict())
    offered = describe_model(folder)
    return ModelRegistry(Engine(Model(load_checkpoint(folder), remote=True)), [offered])


def test_where_a_gpu_is_lent_one_call_draws_a_whole_strip(
    browser: Any, tiny_engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    calls = []
    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: lambda *ask: calls.append(ask) or draw_on_gpu(*ask))
    choice = elsewhere(tiny_engine, tmp_path)
    with served(choice.engine, models=choice) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        holds(page, choice.engine, **{"w": "3"})
        page.wait_for_function("document.querySelector('.explore').dataset.missing === '0'")
        assert [len(requests) for _, requests in calls] == [17]
        page.mouse.move(*thumb(page, 3))
        page.mouse.down()
        page.mouse.move(*thumb(page, 5.1), steps=5)
        page.mouse.up()
        page.wait_for_function("window.explored.w === 5")
        holds(page, choice.engine, **{"w": "5"})
        assert len(calls) == 1, "never one call a slider tick"
        page.mouse.click(*middle(page, "4"))
        holds(page, choice.engine, **{"class": "4", "w": "5"})
        assert len(calls) == 2
        page.close()
    choice.engine.close()


def test_what_a_lent_gpu_drew_while_nobody_looked_is_there_when_they_come_back(
    browser: Any, tiny_engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    calls, go = [], threading.Event()

    def slow(*ask: Any) -> Any:
        calls.append(ask)
        assert go.wait(60)
        return draw_on_gpu(*ask)

    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: slow)
    choice = elsewhere(tiny_engine, tmp_path)
    with served(choice.engine, models=choice) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        page.wait_for_function("document.querySelector('.cost')?.textContent === 'computing'")
        page.get_by_role("tab", name="2-D lab").click()
        assert choice.engine.wait_for(lambda: all(not session.jobs for session in choice.engine.sessions), 20)
        page.get_by_role("tab", name="Explore").click()
        go.set()
        holds(page, choice.engine, **{"w": "3"})
        assert len(calls) == 1
        page.get_by_text("Advanced").click()
        page.get_by_label("w from −1").check()
        page.get_by_role("slider", name="guidance strength").press("Home")
        page.wait_for_function("window.explored.w === -1")
        holds(page, choice.engine, **{"w": "-1"})
        assert [len(requests) for _, requests in calls] == [17, 4]
        page.close()
    choice.engine.close()


def test_where_no_gpu_is_lent_the_page_says_why(
    browser: Any, tiny_engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    def refused(*_: Any) -> None:
        raise RuntimeError("you have used up today's minutes")

    monkeypatch.setattr(zerogpu, "gpu_draw", lambda: refused)
    choice = elsewhere(tiny_engine, tmp_path)
    with served(choice.engine, models=choice) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        page.get_by_role("alert").wait_for()
        told = page.get_by_role("alert").inner_text()
        assert told == "The pictures could not be drawn: you have used up today's minutes"
        page.close()
    choice.engine.close()


def test_a_thousand_classes_are_searched_by_name(browser: Any, tiny_checkpoint: Checkpoint) -> None:
    names = tuple(f"thing {n}" for n in range(1000))
    network = small_network(num_classes=1000)
    config = replace(tiny_checkpoint.config, architecture=network.config, classes=names)
    engine = Engine(Model(Checkpoint(NetworkDenoiser(network, Schedule(), names), config, "0123456789ab")))
    with served(engine) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK + "&class=500")
        holds(page, engine, **{"class": "500"})
        assert page.locator(".rail li.on").inner_text() == "thing 500"
        page.get_by_role("searchbox").fill("207")
        assert page.locator(".rail li").all_inner_texts() == ["thing 207"]
        page.keyboard.press("Enter")
        page.wait_for_function("window.explored.class === 207")
        holds(page, engine, **{"class": "207"})
        page.get_by_role("searchbox").fill("")
        page.locator(".rail li", has_text="thing 210").click()
        page.wait_for_function("window.explored.class === 210")
        page.get_by_role("slider", name="class").press("End")
        page.wait_for_function("window.explored.class === 999")
        assert page.locator(".rail li.on").inner_text() == "thing 999"
        page.close()
    engine.close()


def test_when_the_lab_is_full_the_page_says_its_place_and_goes_in_when_it_can(browser: Any, engine: Engine) -> None:
    small = Engine(Model(engine.checkpoint), Limits(sessions=1))
    with served(small) as (address, _):
        one, two = browser.new_page(), browser.new_page()
        one.goto(address + QUICK)
        settled(one)
        two.goto(address + QUICK)
        two.get_by_role("alert").wait_for()
        assert two.get_by_role("alert").inner_text() == "The lab is full; you are 1st in the queue."
        one.close()
        settled(two)
        assert two.get_by_role("alert").count() == 0
        two.close()
    small.close()


def test_while_one_waits_the_page_says_how_many_are_before_and_then_what_it_took(
    browser: Any, engine: Engine, monkeypatch: Any
) -> None:
    small, go, turn = Engine(Model(engine.checkpoint)), threading.Event(), worker_module.advance_jobs
    with served(small) as (address, _):
        monkeypatch.setattr(worker_module, "advance_jobs", lambda *ask: go.wait(60) and turn(*ask))
        one, two = browser.new_page(), browser.new_page()
        for page, seed in ((one, 1), (two, 2)):
            page.goto(f"{address}?samples=4&steps=3&seed={seed}")
            page.locator(".cost", has_text=re.compile(r"\S")).wait_for()
        two.locator(".cost", has_text="1 ahead of you").wait_for()
        assert one.locator(".cost").inner_text() == "computing"
        go.set()
        for page in (one, two):
            settled(page)
            assert re.fullmatch(r"3 evaluations, (\d+ ms|\d+\.\d s)", page.locator(".cost").inner_text())
            page.close()
    small.close()


def test_while_one_page_waits_for_a_model_another_goes_on(browser: Any, engine: Engine) -> None:
    other, go = describe_model(CHECKPOINT.parent / "fashion-mnist-p-uncond-0.5"), threading.Event()

    def slow(offered: ModelInfo) -> Model:
        assert go.wait(60)
        return load_model(offered, torch.device("cpu"))

    with served(engine, models=ModelRegistry(engine, [describe_model(CHECKPOINT), other], slow)) as (address, _):
        one, two = browser.new_page(), browser.new_page()
        for page in (one, two):
            page.goto(address + QUICK)
            settled(page)
        one.get_by_label("model").select_option(label=other.name)
        two.mouse.click(*middle(two, "Bag"))
        holds(two, engine, **{"class": "8"})
        assert one.evaluate("window.explored.model") != other.hash
        go.set()
        one.wait_for_function("model => window.explored.model === model", arg=other.hash)
        for page in (one, two):
            page.close()
