"""Explore at several window sizes, from the keyboard and by its accessible names."""

import pytest

from .conftest import Open
from .explore_page import BELOW, QUICK, RUNGS, open_setting, thumb_position, wait_until_idle

DESKTOPS = [(1280, 720), (1440, 900), (1600, 900), (1920, 1080), (1920, 1200), (2560, 1440)]

OVERHANG = """() => [...document.querySelectorAll('.explore *')].filter(node => !node.closest('.visually-hidden, .rail')
  && node.getBoundingClientRect().right > innerWidth + 1).map(node => node.outerHTML.slice(0, 100))"""

CUT_OFF = """() => ['figcaption *', '.settings *', 'footer *', '.sentence']
  .flatMap(part => [...document.querySelectorAll(`.explore ${part}`)])
  .filter(node => node.offsetParent && node.tagName !== 'SELECT' && node.scrollWidth > node.clientWidth + 1
    && getComputedStyle(node).display !== 'inline')
  .map(node => [node.className, node.textContent, node.scrollWidth, node.clientWidth])"""

OVERLAPPING = """() => {
  const parts = ['.rail', '.pane.unguided', '.pane.guided', 'aside', '.track', '.strip', 'footer'];
  const boxes = parts.map(part => document.querySelector(`.explore ${part}`).getBoundingClientRect());
  const before = (a, b) => a.right <= b.left + 1 || a.bottom <= b.top + 1;
  const apart = (a, b) => before(a, b) || before(b, a);
  return parts.flatMap((part, i) => parts.slice(i + 1).filter((_, j) => !apart(boxes[i], boxes[i + 1 + j]))
    .map(other => `${part} and ${other}`));
}"""


def bottom(page, selector: str) -> float:
    return page.locator(f".explore >> {selector}").evaluate("node => node.getBoundingClientRect().bottom")


@pytest.mark.parametrize(("width", "height"), DESKTOPS)
def test_everything_is_on_one_screen_with_the_settings_open_or_not(open_page: Open, width: int, height: int) -> None:
    page = wait_until_idle(open_page(QUICK, viewport={"width": width, "height": height}))
    for setting in (None, "rules", "samplers"):
        if setting:
            open_setting(page, setting)
        assert page.evaluate(OVERHANG) == []
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate(OVERLAPPING) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    grids = page.locator(".explore >> .pane canvas").evaluate_all(
        "all => all.map(canvas => canvas.getBoundingClientRect().width)"
    )
    assert min(grids) >= min(0.3 * width, 0.48 * height), "the pictures are the page"


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (768, 1024), (390, 844), (320, 640)])
def test_on_a_small_screen_the_guided_grid_the_slider_and_play_are_seen_together(
    open_page: Open, width: int, height: int
) -> None:
    page = wait_until_idle(open_page(QUICK, viewport={"width": width, "height": height}))
    assert page.evaluate(OVERHANG) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert max(bottom(page, part) for part in (".pane.guided canvas", ".track", ".strip", ".play")) <= height


def test_what_a_waiting_person_must_know_is_seen_on_a_phone(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK, viewport={"width": 390, "height": 844}))
    page.evaluate("message => Object.assign(document.querySelector('.explore .message'), message)",
                  {"textContent": "The lab is full; you are 3rd in the queue.", "hidden": False})  # fmt: skip
    assert bottom(page, ".message") <= 300
    assert bottom(page, ".track") <= 844


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ink_is_dark_on_light_and_light_on_dark(open_page: Open, scheme: str) -> None:
    page = wait_until_idle(open_page(QUICK, color_scheme=scheme))
    ink, paper = page.evaluate(
        "(s => [s.color, s.backgroundColor])(getComputedStyle(document.querySelector('.explore')))"
    )
    brightness = [sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(","))) for color in (ink, paper)]
    assert brightness == sorted(brightness, reverse=scheme == "dark")


def test_the_words_never_move_the_slider(open_page: Open) -> None:
    page = wait_until_idle(open_page("?samples=1&steps=1&w=-1"))
    slider = page.get_by_role("slider", name="guidance strength")
    boxes = set()
    for w in (-1, -0.5, 0, 0.5, 3, 8):
        page.mouse.click(*thumb_position(page, w, (*BELOW, *RUNGS)))
        wait_until_idle(page)
        boxes.add((tuple(slider.bounding_box().values()), page.locator(".setting.rules").bounding_box()["y"]))
    assert len(boxes) == 1


def test_the_keyboard_reaches_every_control_in_order(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    open_setting(page, "samplers")
    page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    page.locator("h1").click()
    settings = ["SUMMARY", "SUMMARY", "sampler", "steps", "INPUT", "samples"]
    footer = ["play", "step", "shown-part", "seed", "dice", "difference", "SUMMARY", "link"]
    head, axis = ["BUTTON", "enter", "open-lesson", "languages", "models"], ["w", *["strip"] * 10]
    order = [*head, "class", "SUMMARY", "CANVAS", "CANVAS", *settings, *axis, *footer]
    reached = []
    for _ in order:
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(n => n.closest('.strip')?.className || n.className || n.tagName)(document.activeElement)")
        )
        ring = page.evaluate(
            """(node => [node, node.closest('.rail')].filter(Boolean).some(n => getComputedStyle(n).outlineStyle
               !== 'none') || node.matches('.w:focus-visible'))(document.activeElement)"""
        )
        assert ring, f"{reached[-1]} shows no focus"
    assert reached == order


def test_the_slider_has_keys_from_anywhere_on_the_page(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    for key, w in (
        ("ArrowRight", 3.1), ("ArrowLeft", 3), ("PageUp", 4), ("PageDown", 3), ("End", 8), ("Home", 0), ("5", 1.5),
    ):  # fmt: skip
        page.keyboard.press(key)
        page.wait_for_function("w => window.explored.w === w", arg=w)
    wait_until_idle(page)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="keys")
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_every_control_has_a_name(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    for role, name in (
        ("slider", "class"), ("slider", "guidance strength w"), ("textbox", "noise"),
        ("combobox", "pictures"), ("button", "another noise"), ("button", "copy link"), ("button", "difference"),
        ("img", "4 unguided samples of T-shirt at w = 0"), ("img", "4 guided samples of T-shirt at w = 3"),
        ("progressbar", "denoising of the guided grid"), ("slider", "denoising"), ("button", "play the denoising"),
    ):  # fmt: skip
        assert page.get_by_role(role, name=name).count() == 1, (role, name)
    samplers = open_setting(page, "samplers")
    for role, name in (("textbox", "steps"), ("combobox", "sampler")):
        assert samplers.get_by_role(role, name=name).count() == 1, (role, name)
    assert page.locator(".explore >> .visually-hidden[role=status]").inner_text() == "T-shirt, w = 3: 4 samples drawn."
