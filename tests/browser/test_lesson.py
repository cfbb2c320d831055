"""The lesson from first to last step, by keyboard alone; a teacher's own lesson, and a hostile one."""

from pathlib import Path
from typing import Any

import pytest

from cfg_core.lessons.library import read_lessons, shipped_lessons
from cfg_core.serving.engine import Engine
from tests.conftest import served

from .conftest import Open
from .explore_page import QUICK, query, wait_until_idle

STEPS = shipped_lessons()["guidance"]["en"].steps

OWN = """# My lesson

## <3 is no tag
?samples=4&steps=3&w=0

Onerror="alert(1)" *and* [lesson.next] `alert(1)` stay text.

choose sure: Surer?
- [rises] *yes*
- [falls] no
- [stays] [as sure](https://arxiv.org/abs/2207.12598)

> ?samples=4&steps=3&w=3
> {sure before}, then {sure}.

## The end

Nothing is asked here.
"""


def shows_step(page: Any, at: int) -> None:
    page.wait_for_function("at => new URLSearchParams(location.search).get('at') === at", arg=str(at))
    page.locator(".lesson h2").get_by_text(STEPS[at - 1].title, exact=True).wait_for()


def choose(page: Any, kind: str) -> None:
    """Answer the question of a step, with keys."""
    if kind in ("lowest fid", "best looking"):
        page.wait_for_function("window.measured?.explore && window.explored.w === 3")  # the step has set the page
        page.keyboard.press("ArrowRight")  # the page's own slider has the arrows
        page.wait_for_function("document.querySelector('.lesson output').textContent === 'w = 3.1'")
        page.locator(".lesson .answer").focus()
        page.keyboard.press("Enter")
        return
    page.locator(".lesson .answers input").first.focus()
    page.keyboard.press("ArrowDown" if kind in ("choose", "guided") or kind.startswith("choose") else "5")
    if kind.startswith("choose") or kind == "guided":
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")


def test_the_lesson_from_first_to_last_step_by_keyboard_alone(open_page: Open) -> None:
    page = open_page("?lesson=guidance")
    for at, step in enumerate(STEPS, 1):
        shows_step(page, at)
        if step.question:
            assert page.evaluate("document.documentElement.dataset.asks") == step.question.kind
            page.locator(".lesson .answers > *").first.wait_for()
            choose(page, step.question.kind)
            page.locator(".lesson .reveal:not(:empty)").wait_for()
            assert "not measured" not in page.locator(".lesson .reveal").inner_text()
            assert page.evaluate("document.documentElement.dataset.asks") is None
            verdict = page.locator(".lesson .verdict").inner_text()
            assert (
                verdict == "You set w = 3.1."
                if step.question.kind == "best looking"
                else verdict.startswith(("Right.", "No."))
            )
        if at < len(STEPS):
            page.keyboard.press("PageDown")
    assert page.locator(".lesson .next").is_disabled()
    page.keyboard.press("PageUp")
    shows_step(page, len(STEPS) - 1)


def test_page_down_reveals_before_it_goes_on_and_back_returns(open_page: Open) -> None:
    page = open_page("?lesson=guidance&at=3")
    wait_until_idle(page)
    page.wait_for_function("window.explored.w === 0")
    page.keyboard.press("PageDown")
    page.wait_for_function("window.explored.w === -1")
    page.locator(".lesson .reveal:not(:empty)").wait_for()
    before, after = page.evaluate("window.measured.explore.measured.sure")
    assert page.locator(".lesson .reveal").inner_text().startswith(f"Only {after:.2f}, instead of {before:.2f}")
    page.keyboard.press("PageDown")
    shows_step(page, 4)
    page.go_back()
    shows_step(page, 3)


def test_names_and_sides_are_hidden_while_it_is_asked_which_grid_is_guided(open_page: Open) -> None:
    page = open_page("?lesson=guidance&at=5")
    page.locator(".lesson .answers > *").first.wait_for()
    for swapped in (False, True):
        page.evaluate("on => { Math.random = () => (on ? 0 : 0.9); }", swapped)
        page.keyboard.press("PageUp")
        shows_step(page, 4)
        page.keyboard.press("PageDown")
        page.keyboard.press("PageDown")
        shows_step(page, 5)
        wait_until_idle(page)
        lefts = [page.locator(f".explore .pane.{name}").bounding_box()["x"] for name in ("unguided", "guided")]
        assert (lefts[0] > lefts[1]) == swapped
        assert not page.locator(".explore .pane.guided figcaption b").is_visible()
        page.get_by_role("radio", name="grid A" if swapped else "grid B").check()
        page.keyboard.press("Enter")
        page.locator(".lesson .verdict", has_text="Right.").wait_for()
        assert page.locator(".explore .pane.guided figcaption b").is_visible()


def test_a_sample_is_pointed_at_on_the_picture(open_page: Open) -> None:
    page = open_page("?lesson=guidance&at=4")
    page.locator(".lesson .answers input").wait_for()
    page.locator(".explore .pane.unguided canvas").click(position={"x": 10, "y": 10})
    assert page.locator(".lesson .answers input").input_value() == "1"
    assert page.locator(".explore .pressed:visible").count() == 2


def test_the_lesson_opens_by_its_button_and_closes_again(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    assert not page.locator(".lab.lesson").is_visible()
    page.get_by_role("button", name="lesson", exact=True).click()
    shows_step(page, 1)
    page.get_by_role("button", name="close the lesson").click()
    page.locator(".lab.lesson").wait_for(state="hidden")
    assert "lesson" not in query(page)


@pytest.mark.parametrize(
    ("query", "locale", "lesson"), [("", "de-AT", "Lektion"), ("?lang=de", "en-US", "Lektion"), ("", "fr", "lesson")]
)
def test_the_language_is_that_of_the_address_or_of_the_browser(
    open_page: Open, query: str, locale: str, lesson: str
) -> None:
    page = open_page(query, locale=locale)
    page.get_by_role("button", name=lesson, exact=True).wait_for()


def test_a_teachers_own_lesson_shows_whatever_it_holds_as_text(browser: Any, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "my.md").write_text(OWN, encoding="utf-8")
    with served(engine, lessons=read_lessons([tmp_path / "my.md"])) as (address, _):
        page = browser.new_page()
        errors: list[str] = []
        page.on("dialog", lambda dialog: errors.append(dialog.message))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}?lesson=my")
        page.locator(".lesson h2", has_text="<3 is no tag").wait_for()
        words = page.locator(".lesson .words")
        assert words.inner_text() == 'Onerror="alert(1)" and [lesson.next] `alert(1)` stay text.'
        assert page.locator(".lesson a").get_attribute("rel") == "noopener noreferrer"
        page.keyboard.press("PageDown")
        page.locator(".lesson .reveal:not(:empty)").wait_for()
        assert errors == []
        page.close()
