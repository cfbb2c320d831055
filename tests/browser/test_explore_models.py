"""Choosing another model in Explore, and a model of a thousand classes."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cfg_core.checkpoints.catalog import ModelInfo, describe_model, describe_models
from cfg_core.checkpoints.format import Checkpoint, CheckpointError, save_checkpoint
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry, load_model
from tests.conftest import served, small_network

from .conftest import CHECKPOINT
from .explore_page import QUICK, assert_shows, class_position, wait_until_idle


def test_another_model_is_chosen_while_another_page_samples(browser: Any, engine: Engine) -> None:
    other = describe_model(CHECKPOINT.parent / "fashion-mnist-p-uncond-0.1")
    infos = [describe_model(CHECKPOINT), other]
    registry = ModelRegistry(engine, infos, lambda info: load_model(info, torch.device("cpu"), Path()))
    with served(engine, models=registry) as (address, _):
        one, two = browser.new_page(), browser.new_page()
        two.goto(address + "?samples=4&steps=40&class=3")
        two.wait_for_function("+document.querySelector('.guided canvas')?.dataset.evaluations > 0")
        one.goto(address + QUICK + "&class=8&w=2&rule=classifier")
        wait_until_idle(one)
        assert one.locator("select.models").locator("option").all_inner_texts() == [each.title for each in infos]
        one.locator("select.models").select_option(label=other.title)
        one.wait_for_function("model => window.explored.model === model", arg=other.hash)
        assert_shows(one, engine, **{"class": "8", "w": "2", "model": other.hash, "rule": "classifier"})
        assert "p_uncond 0.1" in one.locator(".explore .about").inner_text()
        assert_shows(two, engine, **{"class": "3", "steps": "40", "model": infos[0].hash})
        one.reload()
        assert_shows(one, engine, **{"class": "8", "model": other.hash})
        for page in (one, two):
            page.close()


def test_choosing_a_model_that_was_trained_further_since_the_page_opened_gives_its_new_weights(
    browser: Any, engine: Engine, tmp_path: Path
) -> None:
    config, weights = replace(engine.checkpoint.config, title=""), engine.checkpoint.denoiser.network.state_dict()
    save_checkpoint(tmp_path / "mine", config, {name: each + 0.001 for name, each in weights.items()})
    infos = [describe_model(CHECKPOINT), describe_model(tmp_path / "mine")]
    registry = ModelRegistry(engine, infos, lambda info: load_model(info, torch.device("cpu")))
    with served(engine, models=registry) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        wait_until_idle(page)
        save_checkpoint(tmp_path / "mine", config, {name: each + 0.002 for name, each in weights.items()})
        newer = describe_model(tmp_path / "mine").hash
        page.locator("select.models").select_option(label="mine")
        page.wait_for_function("model => window.explored.model === model", arg=newer)
        assert page.locator("select.models").input_value() == newer
        assert_shows(page, engine, model=newer)
        page.close()


def test_a_model_that_cannot_be_loaded_is_reported_with_the_reason(browser: Any, engine: Engine) -> None:
    def missing(_: ModelInfo) -> Model:
        raise CheckpointError("it is a model of diffusers, which is not installed: python -m pip install it")

    infos = [describe_model(CHECKPOINT), describe_model(CHECKPOINT.parent / "fashion-mnist-p-uncond-0.5")]
    with served(engine, models=ModelRegistry(engine, infos, missing)) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK)
        wait_until_idle(page)
        page.locator("select.models").select_option(label=infos[1].title)
        page.get_by_role("alert").wait_for()
        wait_until_idle(page)
        assert "which is not installed: python -m pip install it" in page.get_by_role("alert").inner_text()
        assert page.locator("select.models").input_value() == infos[0].hash
        page.close()


def test_while_one_page_waits_for_a_model_another_goes_on(browser: Any, engine: Engine) -> None:
    other, go = describe_model(CHECKPOINT.parent / "fashion-mnist-p-uncond-0.5"), threading.Event()

    def slow(info: ModelInfo) -> Model:
        assert go.wait(60)
        return load_model(info, torch.device("cpu"))

    with served(engine, models=ModelRegistry(engine, [describe_model(CHECKPOINT), other], slow)) as (address, _):
        one, two = browser.new_page(), browser.new_page()
        for page in (one, two):
            page.goto(address + QUICK)
            wait_until_idle(page)
        one.locator("select.models").select_option(label=other.title)
        two.mouse.click(*class_position(two, "Bag"))
        assert_shows(two, engine, **{"class": "8"})
        assert one.evaluate("window.explored.model") != other.hash
        go.set()
        one.wait_for_function("model => window.explored.model === model", arg=other.hash)
        for page in (one, two):
            page.close()


def test_a_thousand_classes_are_searched_by_name(browser: Any, tiny_checkpoint: Checkpoint) -> None:
    names = tuple(f"thing {n}" for n in range(1000))
    network = small_network(num_classes=1000)
    config = replace(tiny_checkpoint.config, architecture=network.config, classes=names)
    engine = Engine(Model(Checkpoint(NetworkDenoiser(network, Schedule(), names), config, "0123456789ab")))
    with served(engine) as (address, _):
        page = browser.new_page()
        page.goto(address + QUICK + "&class=500")
        assert_shows(page, engine, **{"class": "500"})
        assert page.locator(".rail li.on").inner_text() == "thing 500"
        page.get_by_role("searchbox").fill("207")
        assert page.locator(".rail li").all_inner_texts() == ["thing 207"]
        page.keyboard.press("Enter")
        page.wait_for_function("window.explored.class === 207")
        assert_shows(page, engine, **{"class": "207"})
        page.get_by_role("searchbox").fill("")
        page.locator(".rail li", has_text="thing 210").click()
        page.wait_for_function("window.explored.class === 210")
        page.get_by_role("slider", name="class").press("End")
        page.wait_for_function("window.explored.class === 999")
        assert page.locator(".rail li.on").inner_text() == "thing 999"
        page.close()
    engine.close()


def test_a_model_of_other_classes_opens_on_a_class_of_its_own(browser: Any, engine: Engine) -> None:
    infos = describe_models([CHECKPOINT, CHECKPOINT.parent / "cifar10"])
    registry = ModelRegistry(engine, infos, lambda info: load_model(info, torch.device("cpu")))
    with served(engine, models=registry) as (address, _):
        page = browser.new_page()
        page.goto(f"{address}{QUICK}&class=3")
        wait_until_idle(page)
        for info in reversed(infos):
            page.locator("select.models").select_option(label=info.title)
            page.wait_for_function("model => window.explored.model === model", arg=info.hash)
            assert_shows(page, engine, **{"class": str(info.config.opening_label), "model": info.hash})
        page.goto(f"{address}{QUICK}&model=cifar10")
        assert_shows(page, engine, **{"class": str(infos[1].config.opening_label), "model": infos[1].hash})
        page.close()
