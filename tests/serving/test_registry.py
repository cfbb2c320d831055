"""Models by name: which there are, and that choosing another disturbs nobody."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cfg_core.checkpoints.catalog import ModelInfo, describe_model, describe_models, shipped_models
from cfg_core.checkpoints.format import Checkpoint, CheckpointConfig, CheckpointError, save_checkpoint
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry, load_model
from tests.conftest import small_network

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"


@pytest.fixture(scope="module")
def coloured() -> Checkpoint:
    """A model of other pictures and fewer classes than the tiny one's."""
    network, classes = small_network(seed=1, channels=3, size=16, num_classes=2), ("red", "blue")
    config = CheckpointConfig(network.config, Schedule(), "v", "v", classes, "synthetic", "none", 0.5, 7, "none")
    return Checkpoint(NetworkDenoiser(network, Schedule(), classes), config, "ba9876543210")


@pytest.fixture
def described(tiny_checkpoint: Checkpoint, coloured: Checkpoint) -> Iterator[tuple[ModelRegistry, list[ModelInfo]]]:
    """Two models, of which the second is loaded when it is chosen; and what was loaded."""
    engine, loaded = Engine(Model(tiny_checkpoint)), []
    known = {each.hash: each for each in (tiny_checkpoint, coloured)}
    infos = [
        ModelInfo(name, "", each.hash, each.config)
        for name, each in zip(("tiny", "coloured"), known.values(), strict=True)
    ]

    def load(info: ModelInfo) -> Model:
        loaded.append(info)
        return Model(known[info.hash])

    yield ModelRegistry(engine, infos, load), loaded
    engine.close()


def test_a_request_without_a_class_is_of_the_one_that_its_model_opens_on(tiny_checkpoint: Checkpoint) -> None:
    named = replace(tiny_checkpoint, config=replace(tiny_checkpoint.config, opens_on="7"))
    engine = Engine(Model(named))
    assert ModelRegistry(engine).request({}).classes == (7,)
    assert ModelRegistry(engine).request({"class": "0"}).classes == (0,)
    engine.close()


def test_a_model_is_loaded_once_and_only_when_it_is_chosen(described: tuple[ModelRegistry, list[ModelInfo]]) -> None:
    choice, loaded = described
    assert choice.open("tiny").hash == choice.engine.checkpoint.hash
    assert loaded == []
    assert choice.open("coloured") is choice.open("ba9876543210")
    assert [each.name for each in loaded] == ["coloured"]


@pytest.fixture
def slow(tiny_checkpoint: Checkpoint, coloured: Checkpoint) -> Iterator[Any]:
    """A registry whose second model is loaded only once ``go`` is set; whether its loading has begun; how often."""
    engine, begun, go, loads = Engine(Model(tiny_checkpoint)), threading.Event(), threading.Event(), []
    infos = [ModelInfo(name, "", c.hash, c.config) for name, c in (("tiny", tiny_checkpoint), ("coloured", coloured))]

    def load(info: ModelInfo) -> Model:
        loads.append(info)
        begun.set()
        assert go.wait(60)
        return Model(coloured)

    yield ModelRegistry(engine, infos, load), begun, go, loads
    go.set()
    engine.close()


def test_while_a_model_is_loaded_nobody_waits_for_another(slow: Any) -> None:
    choice, begun, go, loads = slow
    with ThreadPoolExecutor() as pool:
        opening = [pool.submit(choice.open, "coloured") for _ in range(2)]
        assert begun.wait(60)
        assert choice.request({"model": "tiny"}).checkpoint == "0123456789ab"
        assert not choice.is_open("coloured")
        go.set()
        assert {each.result(60).hash for each in opening} == {"ba9876543210"}
    assert len(loads) == 1


def test_coroutines_that_wait_for_a_model_hold_no_thread(slow: Any) -> None:
    choice, begun, go, loads = slow

    async def open_all() -> list[Checkpoint]:
        opening = [asyncio.ensure_future(choice.open_async("coloured")) for _ in range(50)]
        await asyncio.to_thread(begun.wait, 60)
        before = threading.active_count()
        opening.append(asyncio.ensure_future(choice.open_async("coloured")))
        opening[0].cancel()  # the others go on
        await asyncio.sleep(0)
        assert threading.active_count() == before
        go.set()
        return await asyncio.wait_for(asyncio.gather(*opening[1:]), 60)

    assert {each.hash for each in asyncio.run(open_all())} == {"ba9876543210"}
    assert len(loads) == 1


def test_a_model_that_could_not_be_loaded_is_tried_again(tiny_checkpoint: Checkpoint, coloured: Checkpoint) -> None:
    engine, failures = Engine(Model(tiny_checkpoint)), [CheckpointError("the Hub is out of reach")]

    def load(info: ModelInfo) -> Model:
        if failures:
            raise failures.pop()
        return Model(coloured)

    choice = ModelRegistry(engine, [ModelInfo("coloured", "", coloured.hash, coloured.config)], load)
    with pytest.raises(CheckpointError, match="the Hub is out of reach"):
        choice.open("coloured")
    assert choice.open("coloured") is coloured
    engine.close()


def test_a_model_whose_run_went_on_since_it_was_offered_is_the_newer_one(
    tmp_path: Path, coloured: Checkpoint, tiny_checkpoint: Checkpoint
) -> None:
    weights = coloured.denoiser.network.state_dict()
    save_checkpoint(tmp_path / "mine", coloured.config, weights)
    engine, first = Engine(Model(tiny_checkpoint)), describe_model(tmp_path / "mine")
    own = ModelInfo("tiny", "", tiny_checkpoint.hash, tiny_checkpoint.config)
    loads: list[ModelInfo] = []

    def load(info: ModelInfo) -> Model:
        loads.append(info)
        return load_model(info, torch.device("cpu"))

    choice = ModelRegistry(engine, [own, first], load)
    later = replace(coloured.config, images_seen=1000)
    save_checkpoint(tmp_path / "mine", later, {name: 2 * each for name, each in weights.items()})
    opened = choice.open(first.hash)
    assert opened.hash != first.hash
    assert opened.config == later
    assert {choice.open(each) for each in ("mine", first.hash, opened.hash)} == {opened}
    assert [each.hash for each in choice.available] == [own.hash, opened.hash]
    assert len(loads) == 1
    engine.close()


@pytest.mark.parametrize("nonsense", ["nobody's", "", None, 7, ["tiny"]])
def test_a_model_that_is_not_offered_is_refused(
    described: tuple[ModelRegistry, list[ModelInfo]], nonsense: object
) -> None:
    with pytest.raises(ValueError, match=r"model must be one of tiny \(0123456789ab\), coloured \(ba9876543210\), got"):
        described[0].open(nonsense)


def test_grids_of_two_models_are_drawn_beside_each_other_bit_for_bit(
    described: tuple[ModelRegistry, list[ModelInfo]],
) -> None:
    choice, _ = described
    engine, tokens = choice.engine, [choice.engine.admit() for _ in range(2)]
    wanted = [GridRequest(choice.open(name).hash, (1,), samples=4, steps=5) for name in ("tiny", "coloured")]
    for token, request in zip(tokens, wanted, strict=True):
        engine.set_demand(token, [request])
    assert engine.wait_for(
        lambda: all(engine.set_demand(t, [r]).frames[0].done for t, r in zip(tokens, wanted, strict=True)), 60
    )
    for token, request in zip(tokens, wanted, strict=True):
        [frame] = engine.set_demand(token, [request]).frames
        assert frame.pixels is not None
        assert np.array_equal(frame.pixels, draw_grid(engine.checkpoints[request.checkpoint].denoiser, request))


def test_a_request_of_a_model_that_was_not_loaded_is_refused(described: tuple[ModelRegistry, list[ModelInfo]]) -> None:
    with pytest.raises(ValueError, match="model must be one of 0123456789ab, got 'ba9876543210'"):
        described[0].engine.check(GridRequest("ba9876543210", (0,)))


def test_what_ships_is_offered_with_its_name_and_served_by_the_classifiers_of_its_pictures(tmp_path: Path) -> None:
    places = shipped_models(CHECKPOINTS, "fashion-mnist")
    offers = describe_models([*places, places[0]])
    names = [each.name for each in offers]
    assert names[0] == "fashion-mnist"
    assert not any(name.endswith(("-classifier", "-guide")) for name in names)
    assert len(set(names)) == len(names) == len(places)
    small = next(each for each in offers if each.name == "fashion-mnist-p-uncond-0.1")
    found = load_model(small, torch.device("cpu"), tmp_path)
    assert "classifier" in found.checkpoint.denoiser.sources
    assert found.measure is not None


def test_a_training_run_has_the_name_of_its_folder(tmp_path: Path, coloured: Checkpoint) -> None:
    where = tmp_path / "mine" / "checkpoint"
    save_checkpoint(where, coloured.config, coloured.denoiser.network.state_dict())
    assert describe_model(where).name == "mine"
    with pytest.raises(CheckpointError, match=r"has no config\.json"):
        describe_model(tmp_path)


def test_a_classifier_of_other_pictures_serves_nobody(tmp_path: Path, coloured: Checkpoint) -> None:
    from cfg_core.checkpoints.classifiers import find_classifier

    (tmp_path / "other-classifier").mkdir()
    for file in (CHECKPOINTS / "fashion-mnist-classifier").iterdir():
        (tmp_path / "other-classifier" / file.name).write_bytes(file.read_bytes())
    assert find_classifier(tmp_path / "mine", "classifier", coloured.config) is None
    fashion = describe_model(CHECKPOINTS / "fashion-mnist").config
    assert find_classifier(tmp_path / "mine", "classifier", fashion) == tmp_path / "other-classifier"
    assert find_classifier(tmp_path / "mine", "classifier", replace(fashion, data="cifar10")) is None
