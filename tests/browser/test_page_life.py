"""What a page lives through: a full lab, a slow remote GPU, a server that is away, old links; and what it says."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.guidance.rules.interval import LOW
from cfg_core.serving.engine import Engine
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry, load_model
from tests.conftest import served

from .conftest import CHECKPOINT, Open
from .explore_page import (
    QUICK,
    assert_shows,
    class_position,
    open_setting,
    readings,
    remote_registry,
    wait_until_idle,
    waiting_gpu,
)

SERVER = re.compile("component_server")


def test_a_class_changed_while_a_remote_gpu_draws_another_is_drawn_too(
    browser: Any, tiny_engine: Engine, tmp_path: Any, monkeypatch: Any
) -> None:
    calls, go = waiting_gpu(monkeypatch)
    choice = remote_registry(tiny_engine, tmp_path)
    with served(choice.engine, models=choice) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        page.wait_for_function("document.querySelector('.cost')?.textContent === 'computing'")
        for stop in ("2", "4"):  # that of class 2 waits until nobody wants it any more
            page.mouse.click(*class_position(page, stop))
            page.wait_for_function("label => window.explored.class === +label", arg=stop)
        go.set()
        assert_shows(page, choice.engine, **{"class": "4"})
        page.wait_for_function("document.querySelector('.explore').dataset.missing === '0'")
        assert [{request.classes for request in requests} for _, requests in calls] == [{(0,)}, {(4,)}]
        page.close()
    choice.engine.close()


def test_in_a_full_lab_another_model_or_tab_keeps_the_place(browser: Any, engine: Engine) -> None:
    other = CHECKPOINT.parent / "fashion-mnist-p-uncond-0.1"
    offers = [describe_model(CHECKPOINT), describe_model(other)]
    small = Engine(Model(engine.checkpoint), Limits(sessions=1))
    small.add(Model(load_model(offers[1], engine.checkpoint.denoiser.device).checkpoint))
    with served(small, models=ModelRegistry(small, offers)) as (address, _):
        inside, waiting = browser.new_page(), browser.new_page()
        inside.goto(address + QUICK)
        wait_until_idle(inside)  # its session is the first, however fast each page loads
        waiting.goto(address + QUICK)
        line = "The lab is full; you are 1st in the queue."
        waiting.get_by_role("alert").get_by_text(line).wait_for()
        inside.locator("select.models").select_option(label=offers[1].title)
        inside.wait_for_function("model => window.explored.model === model", arg=offers[1].hash)
        assert_shows(inside, small, model=offers[1].hash)
        inside.get_by_role("tab", name="2-D lab").click()
        inside.wait_for_function("document.querySelector('.toy2d').dataset.state === 'idle'")
        inside.get_by_role("tab", name="Explore").click()
        inside.mouse.click(*class_position(inside, "Bag"))
        assert_shows(inside, small, **{"class": "8"})
        assert waiting.get_by_role("alert").inner_text() == line
        inside.close()
        wait_until_idle(waiting)
        waiting.close()
    small.close()


def test_the_2d_lab_outlives_a_server_that_is_away_at_its_first_draw(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK + "&toy2d_points=100&toy2d_steps=10", flaky=True))
    page.route(SERVER, lambda route: route.abort())
    page.get_by_role("tab", name="2-D lab").click()
    message = page.locator(".toy2d .message")
    message.wait_for()
    assert message.inner_text() == "The server does not answer; trying again."
    page.unroute(SERVER)
    page.wait_for_function("document.querySelector('.toy2d').dataset.state === 'idle'")
    assert not message.is_visible()
    page.locator(".toy2d .w").press("End")
    page.wait_for_function("document.querySelector('.toy2d canvas').dataset.w === '8'")


def test_the_2d_lab_outlives_a_first_draw_that_is_refused(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK + "&toy2d_points=100&toy2d_steps=10"))
    refused = [
        {"ok": False, "busy": True, "error": "The 2-D lab is full: 64 drawings wait. Please try again in a moment."},
        {"ok": False, "error": "steps must be a whole number from 1 to 5, got 10"},
    ]

    def refuse(route: Any) -> None:
        if refused and json.loads(route.request.post_data)["fn_name"] == "draw":
            route.fulfill(json=refused.pop(0))
        else:
            route.continue_()

    page.route(SERVER, refuse)
    page.get_by_role("tab", name="2-D lab").click()
    page.locator(".toy2d .message", has_text="The 2-D lab is full").wait_for()
    page.wait_for_function("document.querySelector('.toy2d').dataset.state === 'idle'")
    assert page.locator(".toy2d .message").inner_text() == "steps must be a whole number from 1 to 5, got 10"
    page.locator(".toy2d .steps").fill("20")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.toy2d .cost').textContent.includes(' 20 steps')")
    assert not page.locator(".toy2d .message").is_visible()


def test_a_link_of_before_opens_the_2d_lab(open_page: Open) -> None:
    page = open_page("?tab=plane&plane_w=5&plane_points=100&plane_steps=10")
    page.wait_for_function("document.querySelector('.toy2d')?.dataset.state === 'idle'")
    assert page.locator('.shell [role="tab"][aria-selected="true"]').inner_text() == "2-D lab"
    query = dict(parse_qsl(urlsplit(page.url).query))
    assert query == {"tab": "toy2d", "toy2d_w": "5", "toy2d_points": "100", "toy2d_steps": "10"}


def test_under_unconditional_classifier_guidance_the_left_grid_is_not_called_unguided(open_page: Open) -> None:
    page = wait_until_idle(open_page("?samples=4&steps=12&w=2"))
    title, note = page.locator(".pane.unguided figcaption b"), page.locator(".explore .measured")
    assert (title.inner_text(), note.is_visible()) == ("unguided", False)
    assert page.locator(".explore aside .dot").count() == 1
    setting = open_setting(page, "rules")
    setting.get_by_label("rule").select_option("classifier_unconditional")
    page.wait_for_function("document.querySelector('.pane.unguided b').textContent === 'classifier at strength 1'")
    wait_until_idle(page)
    label = page.locator(".pane.unguided canvas").get_attribute("aria-label")
    assert label == "4 classifier at strength 1 samples of T-shirt at w = 0"
    open_setting(page, "rules")  # closes it
    assert page.locator(".explore aside .dot").count() == 0, "the curve was measured under another rule"
    assert note.inner_text() == "Measured with DPM-Solver++ 2M, 12 steps, Classifier-free guidance."


def test_the_sentence_says_what_the_meters_say(open_page: Open) -> None:
    page = wait_until_idle(open_page("?class=8&w=4"))
    fidelity, diversity = zip(*(readings(page, pane) for pane in ("unguided", "guided")), strict=True)
    sentence = page.locator(".explore .sentence").inner_text()
    assert ("becomes clearer" in sentence) == (fidelity[1] > fidelity[0])
    assert ("become more similar" in sentence) == (diversity[1] < diversity[0])


def test_a_rules_parameter_is_a_control_a_field_of_the_request_and_of_the_link(open_page: Open) -> None:
    page = wait_until_idle(open_page(QUICK))
    setting = open_setting(page, "rules")
    low = setting.locator("input[name=log_snr_low]")
    assert low.count() == 0
    rule = setting.get_by_label("rule")
    rule.select_option("interval")
    low.wait_for()
    shown = low.evaluate("n => [n.type, +n.min, +n.max, +n.step, +n.value, n.closest('label').title]")
    assert shown == ["number", LOW.low, LOW.high, LOW.step, LOW.default, LOW.help]
    low.fill("-2")
    low.press("Tab")
    page.wait_for_function("new URLSearchParams(location.search).get('log_snr_low') === '-2'")
    assert page.evaluate("window.explored.log_snr_low") == -2
    wait_until_idle(page)
    rule.select_option("cfg")
    page.wait_for_function("!location.search.includes('log_snr_low')")
    assert page.evaluate("'log_snr_low' in window.explored") is False
    assert low.count() == 0
