"""Going to an address: the history, a lesson and a room set every tab by the same function."""

from typing import Any

from .conftest import Open
from .explore_page import QUICK, query, wait_until_idle

VISIT = """async fields => {
  const script = document.querySelector('link[rel=modulepreload][href$="/visit.js"]').href;
  (await import(script)).visit(fields, true);
}"""


def visit(page: Any, **fields: Any) -> None:
    page.evaluate(VISIT, fields)


def test_a_visit_sets_explore_and_what_is_absent_takes_its_default(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK + "&w=1&seed=5&lang=en"))
    visit(page, **{"class": 8, "w": 2, "samples": 4, "steps": 3})
    page.wait_for_function("window.explored.class === 8 && window.explored.w === 2 && window.explored.seed === 7")
    wait_until_idle(page)
    assert query(page)["lang"] == "en", "what belongs to the page stays"
    page.go_back()
    page.wait_for_function("window.explored.class === 0 && window.explored.w === 1 && window.explored.seed === 5")


def test_of_visits_in_a_row_the_last_one_counts(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    for label in (1, 2, 3):
        visit(page, **{"class": label, "w": 1, "samples": 4, "steps": 3})
    page.wait_for_function("window.explored.class === 3")
    wait_until_idle(page)
    visit(page, **{**query(page), "w": 4})
    page.wait_for_function("window.explored.w === 4")
    assert page.evaluate("window.explored.class") == 3


def test_a_visit_sets_the_other_tabs(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    visit(page, tab="step", samples=4, steps=3, sample=2, step=1)
    page.wait_for_function("(({state, sample, step}) => state === 'idle' && sample === '2' && step === '1')"
                           "(document.querySelector('.lab.step').dataset)")  # fmt: skip
    visit(page, tab="step", samples=4, steps=3, sample=3, step=2)
    page.wait_for_function("(({sample, step}) => sample === '3' && step === '2')"
                           "(document.querySelector('.lab.step').dataset)")  # fmt: skip
    for w in (5, 2):
        visit(page, tab="toy2d", toy2d_w=w, toy2d_points=100, toy2d_steps=10)
        page.wait_for_function("w => document.querySelector('.toy2d canvas')?.dataset.w === w", arg=str(w))
    visit(page, tab="tradeoff")
    compared = page.locator(".tradeoff select.compared")
    page.wait_for_function("document.querySelectorAll('.tradeoff .compared option').length > 1")
    other = compared.locator("option").nth(1).get_attribute("value")
    visit(page, tab="tradeoff", tradeoff_compare=other)
    page.wait_for_function("name => document.querySelector('.tradeoff .compared').value === name", arg=other)
    page.go_back()
    page.wait_for_function("document.querySelector('.tradeoff .compared').value === ''")
