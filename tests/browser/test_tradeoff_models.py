"""The shipped curves: the chosen model's, another's under its own name, labels that never overprint."""

from collections.abc import Iterator
from typing import Any

import pytest

from cfg_core.checkpoints.format import CheckpointConfig, read_config
from cfg_core.serving.engine import Engine

from .conftest import CHECKPOINT, Open
from .tradeoff_page import TAB, change_explore, choose, open_details, wait_until_open

GREY, COLOUR = (
    read_config(CHECKPOINT.parent / name, CheckpointConfig.from_json)[0].title for name in ("fashion-mnist", "cifar10")
)
"""What people call the two models."""

SIZES = [(1280, 720), (1440, 900), (1920, 1080), (2560, 1440), (1024, 768), (390, 844)]

OVERPRINTED = """() => [...document.querySelectorAll('.tradeoff .drawing svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].filter(text => text.getClientRects().length).map(text => {
    const {left, right, top, bottom} = text.getBoundingClientRect();
    return {name: text.textContent, left, right, top, bottom};
  });
  const ends = [...svg.querySelectorAll('.curve')].flatMap(curve => {
    const points = [...curve.querySelectorAll('.point')];
    return [points[0], points.at(-1)].map(({dataset}) => ({
      name: `w = ${dataset.w} of curve ${dataset.curve}`, x: frame.left + +dataset.px, y: frame.top + +dataset.py}));
  });
  const meet = (a, b) => a.left < b.right - 1 && a.right > b.left + 1 && a.top < b.bottom - 1 && a.bottom > b.top + 1;
  const covers = (a, end) => a.left < end.x + 3 && a.right > end.x - 3 && a.top < end.y + 3 && a.bottom > end.y - 3;
  return [
    ...texts.flatMap((a, i) => texts.slice(i + 1).filter(b => meet(a, b)).map(b => `${a.name} and ${b.name}`)),
    ...texts.flatMap(a => ends.filter(end => covers(a, end)).map(end => `${a.name} over the end ${end.name}`)),
    ...texts.filter(a => a.left < -1 || a.right > innerWidth + 1).map(a => `${a.name} outside of the window`),
  ];
})"""

DRAWN = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(
  [...document.querySelectorAll('.tradeoff figure:not([hidden]) .drawing svg')].every(svg =>
    svg.dataset.area && Math.abs(svg.clientWidth - 10 - svg.dataset.area.split(',')[1]) < 1)))))"""


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Iterator[Any]:
    """One page over the shipped curves, for all tests of this file."""
    page = browser.new_page()
    page.goto(address + TAB)
    yield wait_until_open(page)
    page.close()


def choose_model(page: Any, name: str) -> None:
    page.locator(".tradeoff .model-measured").select_option(label=name)


def labels(page: Any) -> list[str]:
    return page.locator(".groups label").all_inner_texts()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_labels_never_cover_each_other_nor_the_ends_of_lines(page: Any, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("window.explored")
    models = page.locator(".tradeoff .model-measured option").all_inner_texts()
    assert {GREY, COLOUR} <= set(models)
    for model in models:
        choose_model(page, model)
        for label in labels(page):
            choose(page, label)
            page.wait_for_function(DRAWN)
            assert page.evaluate(OVERPRINTED) == [], (model, label)
            assert page.locator(".second .point").count() >= 4
    choose_model(page, GREY)
    for w in (-0.5, 0, 0.15, 0.4, 2.5, 8):
        change_explore(page, w=w)
        assert page.evaluate(OVERPRINTED) == [], f"the dot at w = {w}"


def test_curves_of_another_model_stand_under_its_name_alone(page: Any) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    choose_model(page, GREY)
    assert labels(page)[:2] == ["Guidance strength", "Method"]
    assert all(", of " in label for label in labels(page)[2:])
    choose(page, "Guidance strength")
    assert page.locator(".fid figcaption b").inner_text().startswith(GREY)
    choose_model(page, COLOUR)
    assert labels(page) == ["Guidance strength"]
    captions = page.locator(".tradeoff figcaption b").all_inner_texts()
    assert all(caption.startswith(f"{COLOUR}: ") for caption in captions)
    page.get_by_label("compare with").select_option(label=GREY)
    captions = page.locator(".tradeoff figcaption b").all_inner_texts()
    assert [caption.partition(":")[0] for caption in captions] == [COLOUR, GREY]
    assert page.locator(".second .dot").count() == 0, "the dot is on the curve of the model that Explore shows"
    page.get_by_label("compare with").select_option(label="nothing")


def test_the_curves_follow_the_model_of_explore_and_one_without_any_is_named(page: Any, engine: Engine) -> None:
    choose_model(page, GREY)
    models = page.locator(".tradeoff .model-measured option").evaluate_all(
        "all => Object.fromEntries(all.map(option => [option.label, option.value]))"
    )
    follow = """model => {
      window.explored = {...window.explored, model};
      dispatchEvent(new CustomEvent('lab:explored', {detail: window.explored}));
    }"""
    page.evaluate(follow, models[COLOUR])
    assert page.locator(".fid figcaption b").inner_text().startswith(f"{COLOUR}: ")
    assert page.locator(".fid .dot").count() == 1
    page.evaluate(follow, "ffffffffffff")
    assert (
        page.locator(".tradeoff .message").inner_text().startswith("No curve of ffffffffffff has been measured; these")
    )
    page.evaluate(follow, engine.checkpoint.hash)
    assert page.locator(".fid figcaption b").inner_text().startswith(GREY)
    assert not page.locator(".tradeoff .message").is_visible()


def test_a_link_holds_the_model_the_curves_and_what_they_are_compared_with(open_page: Open) -> None:
    page = wait_until_open(open_page(TAB + "&tradeoff_group=strength-cifar10"))
    assert page.locator(".fid figcaption b").inner_text().startswith(f"{COLOUR}: ")
    page.get_by_label("compare with").select_option(label=GREY)
    open_details(page)
    page.wait_for_url("**tradeoff_figures=1**")
    again = wait_until_open(open_page("?" + page.url.partition("?")[2]))
    again.wait_for_function("window.explored")
    captions = again.locator(".tradeoff figcaption b").all_inner_texts()
    assert [caption.partition(":")[0] for caption in captions] == [COLOUR, GREY]
    assert again.locator(".tradeoff .basis").is_visible()
