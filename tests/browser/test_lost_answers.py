"""A network that loses answers, the first ones included, delays the page and breaks none of its tabs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradio.context import Context

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry, load_model
from tests.conftest import served

from .conftest import CHECKPOINT
from .explore_page import QUICK, assert_shows, class_position, wait_until_idle
from .lossy_proxy import Fate, a_quarter_lost, lossy_proxy

QUERY = QUICK + "&toy2d_points=100&toy2d_steps=10"
PATIENCE = 90_000
"""Milliseconds; waits of up to 8 seconds lie between calls that are made again."""

NO_ANSWER = "The server does not answer; trying again."

ARRIVED = """() => document.title === '502 Bad Gateway' || location.protocol === 'chrome-error:'
  || (document.querySelector('.explore')?.dataset.state === 'idle'
    && !document.body.innerText.includes('loading it again'))"""


def new_page(browser: Any) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 960})
    page.set_default_timeout(PATIENCE)
    return page


def arrive(page: Any, address: str) -> None:
    """Open the page; who gets the proxy's own page in its stead asks again, all else the page does itself."""
    page.goto(address)
    while True:
        page.wait_for_function(ARRIVED)
        if page.locator(".explore").count():
            return
        page.goto(address)


def use_every_tab(page: Any, engine: Engine) -> None:
    """Each tab shows what it should, and after a change that; no message is left."""
    assert_shows(page, engine, w="3")
    page.mouse.click(*class_position(page, "Bag"))
    assert_shows(page, engine, **{"class": "8"})
    page.get_by_role("button", name="play the denoising").click()
    page.wait_for_function("document.querySelector('.explore.playing')")
    page.get_by_role("tab", name="2-D lab").click()
    page.wait_for_function("document.querySelector('.toy2d').dataset.state === 'idle'")
    page.locator(".toy2d .w").press("End")
    page.wait_for_function("document.querySelector('.toy2d canvas').dataset.w === '8'")
    page.locator(".toy2d .play").click()
    page.wait_for_function("document.querySelector('.toy2d.playing')")
    page.get_by_role("tab", name="Trade-off").click()
    page.wait_for_selector('.tradeoff[data-state="open"]')
    page.get_by_role("tab", name="Explore").click()
    assert_shows(page, engine, **{"class": "8"})
    assert page.locator('[role="alert"]:visible').all_inner_texts() == []


def test_a_proxy_that_loses_a_quarter_of_all_answers_delays_but_breaks_no_tab(
    browser: Any, engine: Engine, address: str
) -> None:
    with lossy_proxy(address, a_quarter_lost(seed=1)) as (lossy, proxy):
        page = new_page(browser)
        arrive(page, lossy + QUERY)
        use_every_tab(page, engine)
        page.close()
    fates = [fate for _, fate in proxy.answers]
    assert {"cut", "502"} <= set(fates)
    assert 0.15 < 1 - fates.count("whole") / len(fates) < 0.35


def test_a_tab_whose_first_answers_are_lost_says_so_and_asks_again(browser: Any, engine: Engine, address: str) -> None:
    def fate(asked: str, before: int) -> Fate:
        return "whole" if asked.startswith("/") or before > 1 else "cut" if before else "502"

    with lossy_proxy(address, fate) as (lossy, proxy):
        page = new_page(browser)
        page.goto(lossy + QUERY)
        page.locator(".explore .message", has_text=NO_ANSWER).wait_for()
        wait_until_idle(page)
        for tab, title in (("toy2d", "2-D lab"), ("tradeoff", "Trade-off")):
            page.get_by_role("tab", name=title).click()
            page.locator(f".{tab} .message", has_text=NO_ANSWER).wait_for()
            page.locator(f".{tab} .message").wait_for(state="hidden")
        page.get_by_role("tab", name="Explore").click()
        use_every_tab(page, engine)
        page.close()
    asked = {name for name, fate in proxy.answers if fate != "whole"}
    assert {"open_session", "poll", "trajectory", "restore", "draw", "read"} <= asked


@contextmanager
def served_by_a_new_process(engine: Engine, models: ModelRegistry) -> Iterator[str]:
    """The page as a process that was started again has it: with the same numbers of components."""
    Context.id = 0
    with served(engine, models=models) as (address, _):
        yield address


def test_a_page_whose_model_is_gone_after_a_restart_says_so_and_goes_on_with_another(
    browser: Any, engine: Engine, address: str
) -> None:
    first, other = describe_model(CHECKPOINT), describe_model(CHECKPOINT.parent / "fashion-mnist-p-uncond-0.1")
    before = Engine(load_model(other, engine.checkpoint.denoiser.device))
    after = Engine(Model(engine.checkpoint))
    with (
        served_by_a_new_process(before, ModelRegistry(before, [other])) as old,
        served_by_a_new_process(after, ModelRegistry(after, [first])) as new,
        lossy_proxy(old, lambda asked, before: "whole") as (restarted, proxy),
    ):
        page = new_page(browser)
        page.goto(restarted + QUICK + "&class=3")
        assert_shows(page, before, model=other.hash)
        proxy.target = new
        page.mouse.click(*class_position(page, "Bag"))
        assert_shows(page, after, model=first.hash, **{"class": "8"})
        said = page.get_by_role("alert").inner_text()
        assert said == f"The model that was shown is no longer on the server; this is {first.title}."
        page.mouse.click(*class_position(page, "Coat"))
        assert_shows(page, after, model=first.hash, **{"class": "4"})
        assert page.get_by_role("alert").count() == 0
        page.close()
    before.close()
    after.close()
