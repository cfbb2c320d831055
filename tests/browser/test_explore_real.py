"""Real pictures of the class in place of the left grid: by a button and by a key."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from cfg_core.checkpoints.catalog import describe_models
from cfg_core.serving.engine import Engine
from cfg_core.serving.registry import ModelRegistry, load_model
from tests.conftest import served

from .conftest import CHECKPOINT
from .explore_page import QUICK, class_position, wait_until_idle

SMALL = "fashion-mnist-p-uncond-0.5"
LEFT = ".explore >> .pane.unguided"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page over the shipped model as it ships, and over one without real pictures."""
    infos = describe_models([CHECKPOINT, CHECKPOINT.parent / SMALL])
    own = load_model(infos[0], torch.device("cpu"))
    engine = Engine(own)
    without = ModelRegistry(engine, infos, lambda info: replace(load_model(info, torch.device("cpu")), real=None))
    with served(engine, models=without) as (address, _):
        yield address
    engine.close()


def shows_real(page: Any, classes: str) -> None:
    page.wait_for_function("document.querySelector('.unguided figcaption b').textContent === 'real pictures'")
    label = f"16 real pictures of {classes}" if classes != "all classes" else "160 real pictures of all classes"
    page.get_by_label(label, exact=True).wait_for()


def test_a_button_and_a_key_show_real_pictures_and_their_licence(open_page: Any) -> None:
    page = open_page(f"{QUICK}&class=8")
    wait_until_idle(page)
    button = page.get_by_role("button", name="real pictures")
    button.click()
    shows_real(page, "Bag")
    assert button.get_attribute("aria-pressed") == "true"
    caption = page.locator(LEFT).locator(".shown").inner_text()
    assert caption == "fashion_mnist · licence MIT (Zalando Research)"
    assert page.locator(LEFT).locator(".meters").inner_text() == ""
    page.mouse.click(*class_position(page, "Dress"))
    shows_real(page, "Dress")
    wait_until_idle(page)
    page.mouse.click(*class_position(page, "All"))
    shows_real(page, "all classes")
    page.keyboard.press("r")
    wait_until_idle(page)
    assert page.locator(LEFT).locator("figcaption b").inner_text() == "unguided"
    page.keyboard.press("r")
    shows_real(page, "all classes")


def test_on_a_phone_they_come_into_view(open_page: Any) -> None:
    page = open_page(QUICK, viewport={"width": 390, "height": 844}, has_touch=True)
    wait_until_idle(page)
    page.get_by_role("button", name="real pictures").tap()
    shows_real(page, "T-shirt")
    box = page.locator(LEFT).locator("canvas").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 844


def test_a_model_without_real_pictures_does_not_offer_them(open_page: Any) -> None:
    page = open_page(f"{QUICK}&model={SMALL}")
    wait_until_idle(page)
    assert page.locator(".explore >> button.real").is_hidden()
    page.keyboard.press("r")
    assert page.locator(LEFT).locator("figcaption b").inner_text() == "unguided"
