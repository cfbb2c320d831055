"""Explore at several window sizes, from the keyboard and by its accessible names."""

import pytest

from .conftest import Open
from .explore_page import QUICK, thumb_position, wait_until_resting


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [
        (390, 844, "dark"), (768, 1024, "light"), (1280, 720, "light"), (1280, 720, "dark"), (1280, 960, "light"),
        (1920, 1080, "dark"),
    ],
)  # fmt: skip
def test_the_page_fits_the_window(open_page: Open, width: int, height: int, scheme: str) -> None:
    page = wait_until_resting(open_page(QUICK, viewport={"width": width, "height": height}, color_scheme=scheme))
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
    page = wait_until_resting(open_page("?samples=1&steps=1&w=-1"))
    slider = page.get_by_role("slider", name="guidance strength")
    boxes = set()
    for w in (-1, -0.5, 0, 0.5, 3, 8):
        page.mouse.click(*thumb_position(page, w, low=-1))
        wait_until_resting(page)
        boxes.add((tuple(slider.bounding_box().values()), page.get_by_text("Advanced").bounding_box()["y"]))
    assert len(boxes) == 1


def test_the_keyboard_reaches_every_control_in_order(open_page: Open) -> None:
    page = wait_until_resting(open_page(QUICK))
    page.get_by_text("Advanced").click()
    page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    page.locator("h1").click()
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(n => n.closest('.strip')?.className || n.className || n.tagName)(document.activeElement)")
        )
        ring = page.evaluate(
            """(node => [node, node.closest('.rail')].filter(Boolean).some(n => getComputedStyle(n).outlineStyle
               !== 'none') || node.matches('.w:focus-visible'))(document.activeElement)"""
        )
        assert ring, f"{reached[-1]} shows no focus"
    aside = ["SUMMARY", "rule", "sampler", "INPUT", "steps", "samples", "below"]
    strip = ["strip"] * 8
    assert reached == ["BUTTON", "class", "CANVAS", "CANVAS", "w", *aside, *strip, "play", "step", "seed", "dice"]


def test_every_control_has_a_name(open_page: Open) -> None:
    page = wait_until_resting(open_page(QUICK))
    page.get_by_text("Advanced").click()
    for role, name in (
        ("slider", "class"), ("slider", "guidance strength w"), ("textbox", "seed"), ("textbox", "steps"),
        ("combobox", "sampler"), ("combobox", "pictures"), ("button", "another seed"), ("button", "copy link"),
        ("img", "4 unguided samples of T-shirt at w = 0"), ("img", "4 guided samples of T-shirt at w = 3"),
        ("progressbar", "denoising of the guided grid"), ("slider", "denoising"), ("button", "play the denoising"),
    ):  # fmt: skip
        assert page.get_by_role(role, name=name).count() == 1, (role, name)
    assert page.locator(".explore >> .visually-hidden[role=status]").inner_text() == "T-shirt, w = 3: 4 samples drawn."
