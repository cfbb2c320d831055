"""Models by name: what is on offer, and that choosing another disturbs nobody."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cfg_core.checkpoints.catalog import ModelInfo, describe_model, describe_models, shipped_models
from cfg_core.checkpoints.format import Checkpoint, CheckpointConfig, CheckpointError, save_checkpoint
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine, Model
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
def offered(tiny_checkpoint: Checkpoint, coloured: Checkpoint) -> Iterator[tuple[ModelRegistry, list[ModelInfo]]]:
    """Two models, of which the second is loaded when it is chosen; and what was loaded."""
    engine, loaded = Engine(Model(tiny_checkpoint)), []
    known = {each.hash: each for each in (tiny_checkpoint, coloured)}
    offers = [
        ModelInfo(name, "", each.hash, each.config)
        for name, each in zip(("tiny", "coloured"), known.values(), strict=True)
    ]

    def load(offer: ModelInfo) -> Model:
        loaded.append(offer)
        return Model(known[offer.hash])

    yield ModelRegistry(engine, offers, load), loaded
    engine.close()


def test_a_model_is_loaded_once_and_only_when_it_is_chosen(offered: tuple[ModelRegistry, list[ModelInfo]]) -> None:
    choice, loaded = offered
    assert choice.open("tiny").hash == choice.engine.checkpoint.hash
    assert loaded == []
    assert choice.open("coloured") is choice.open("ba9876543210")
    assert [each.name for each in loaded] == ["coloured"]


def test_while_a_model_is_loaded_nobody_waits_for_another(offered: tuple[ModelRegistry, list[ModelInfo]]) -> None:
    choice, loaded = offered
    load, begun, go = choice._load, threading.Event(), threading.Event()

    def slow(offer: ModelInfo) -> Model:
        begun.set()
        assert go.wait(60)
        return load(offer)

    choice._load = slow
    with ThreadPoolExecutor() as pool:
        opening = [pool.submit(choice.open, "coloured") for _ in range(2)]
        assert begun.wait(60)
        assert choice.request({"model": "tiny"}).checkpoint == "0123456789ab"
        assert not choice.is_open("coloured")
        go.set()
        assert {each.result(60).hash for each in opening} == {"ba9876543210"}
    assert len(loaded) == 1


def test_a_model_whose_run_went_on_since_it_was_offered_is_the_newer_one(
    tmp_path: Path, coloured: Checkpoint, tiny_checkpoint: Checkpoint
) -> None:
    weights = coloured.denoiser.network.state_dict()
    save_checkpoint(tmp_path / "mine", coloured.config, weights)
    engine, first = Engine(Model(tiny_checkpoint)), describe_model(tmp_path / "mine")
    own = ModelInfo("tiny", "", tiny_checkpoint.hash, tiny_checkpoint.config)
    loads: list[ModelInfo] = []

    def load(offer: ModelInfo) -> Model:
        loads.append(offer)
        return load_model(offer, torch.device("cpu"))

    choice = ModelRegistry(engine, [own, first], load)
    later = replace(coloured.config, images_seen=1000)
    save_checkpoint(tmp_path / "mine", later, {name: 2 * each for name, each in weights.items()})
    opened = choice.open(first.hash)
    assert opened.hash != first.hash
    assert opened.config == later
    assert {choice.open(each) for each in ("mine", first.hash, opened.hash)} == {opened}
    assert [each.hash for each in choice.offers] == [own.hash, opened.hash]
    assert len(loads) == 1
    engine.close()


@pytest.mark.parametrize("nonsense", ["nobody's", "", None, 7, ["tiny"]])
def test_a_model_that_is_not_offered_is_refused(
    offered: tuple[ModelRegistry, list[ModelInfo]], nonsense: object
) -> None:
    with pytest.raises(ValueError, match=r"model must be one of tiny \(0123456789ab\), coloured \(ba9876543210\), got"):
        offered[0].open(nonsense)


def test_grids_of_two_models_are_drawn_beside_each_other_bit_for_bit(
    offered: tuple[ModelRegistry, list[ModelInfo]],
) -> None:
    choice, _ = offered
    engine, people = choice.engine, [choice.engine.admit() for _ in range(2)]
    wanted = [GridRequest(choice.open(name).hash, (1,), samples=4, steps=5) for name in ("tiny", "coloured")]
    for person, request in zip(people, wanted, strict=True):
        engine.want(person, [request])
    with engine._changed:
        assert engine._changed.wait_for(
            lambda: all(engine.want(p, [r]).frames[0].done for p, r in zip(people, wanted, strict=True)), 60
        )
    for person, request in zip(people, wanted, strict=True):
        [frame] = engine.want(person, [request]).frames
        assert frame.pixels is not None
        assert np.array_equal(frame.pixels, draw_grid(engine.checkpoints[request.checkpoint].denoiser, request))


def test_a_request_of_a_model_that_was_not_loaded_is_refused(offered: tuple[ModelRegistry, list[ModelInfo]]) -> None:
    with pytest.raises(ValueError, match="model must be one of 0123456789ab, got 'ba9876543210'"):
        offered[0].engine.check(GridRequest("ba9876543210", (0,)))


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
