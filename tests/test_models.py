"""Models by name: what is on offer, and that choosing another disturbs nobody."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cfg_core import checkpoints, models
from cfg_core.checkpoints import Checkpoint
from cfg_core.denoiser import NetworkDenoiser
from cfg_core.engine import Engine, Model
from cfg_core.grid import draw_grid
from cfg_core.models import Models, Offer
from cfg_core.request import GridRequest
from cfg_core.schedule import Schedule
from tests.conftest import small_network

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


@pytest.fixture(scope="module")
def coloured() -> Checkpoint:
    """A model of other pictures and fewer classes than the tiny one's."""
    network, classes = small_network(seed=1, channels=3, size=16, num_classes=2), ("red", "blue")
    config = checkpoints.CheckpointConfig(
        network.config, Schedule(), "v", "v", classes, "synthetic", "none", 0.5, 7, "none"
    )
    return Checkpoint(NetworkDenoiser(network, Schedule(), classes), config, "ba9876543210")


@pytest.fixture
def offered(tiny_checkpoint: Checkpoint, coloured: Checkpoint) -> Iterator[tuple[Models, list[Offer]]]:
    """Two models, of which the second is loaded when it is chosen; and what was loaded."""
    engine, loaded = Engine(Model(tiny_checkpoint)), []
    known = {each.hash: each for each in (tiny_checkpoint, coloured)}
    offers = [
        Offer(name, "", each.hash, each.config) for name, each in zip(("tiny", "coloured"), known.values(), strict=True)
    ]

    def load(offer: Offer) -> Model:
        loaded.append(offer)
        return Model(known[offer.hash])

    yield Models(engine, offers, load), loaded
    engine.close()


def test_a_model_is_loaded_once_and_only_when_it_is_chosen(offered: tuple[Models, list[Offer]]) -> None:
    choice, loaded = offered
    assert choice.open("tiny").hash == choice.engine.checkpoint.hash
    assert loaded == []
    assert choice.open("coloured") is choice.open("ba9876543210")
    assert [each.name for each in loaded] == ["coloured"]


def test_while_a_model_is_loaded_nobody_waits_for_another(offered: tuple[Models, list[Offer]]) -> None:
    choice, loaded = offered
    load, begun, go = choice._load, threading.Event(), threading.Event()

    def slow(offer: Offer) -> Model:
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
    checkpoints.save(tmp_path / "mine", coloured.config, weights)
    engine, first = Engine(Model(tiny_checkpoint)), models.offer(tmp_path / "mine")
    own = Offer("tiny", "", tiny_checkpoint.hash, tiny_checkpoint.config)
    loads: list[Offer] = []

    def load(offer: Offer) -> Model:
        loads.append(offer)
        return models.load(offer, torch.device("cpu"))

    choice = Models(engine, [own, first], load)
    later = replace(coloured.config, images_seen=1000)
    checkpoints.save(tmp_path / "mine", later, {name: 2 * each for name, each in weights.items()})
    opened = choice.open(first.hash)
    assert opened.hash != first.hash
    assert opened.config == later
    assert {choice.open(each) for each in ("mine", first.hash, opened.hash)} == {opened}
    assert [each.hash for each in choice.offers] == [own.hash, opened.hash]
    assert len(loads) == 1
    engine.close()


@pytest.mark.parametrize("nonsense", ["nobody's", "", None, 7, ["tiny"]])
def test_a_model_that_is_not_offered_is_refused(offered: tuple[Models, list[Offer]], nonsense: object) -> None:
    with pytest.raises(ValueError, match=r"model must be one of tiny \(0123456789ab\), coloured \(ba9876543210\), got"):
        offered[0].open(nonsense)


def test_grids_of_two_models_are_drawn_beside_each_other_bit_for_bit(offered: tuple[Models, list[Offer]]) -> None:
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


def test_a_request_of_a_model_that_was_not_loaded_is_refused(offered: tuple[Models, list[Offer]]) -> None:
    with pytest.raises(ValueError, match="model must be one of 0123456789ab, got 'ba9876543210'"):
        offered[0].engine.check(GridRequest("ba9876543210", (0,)))


def test_what_ships_is_offered_with_its_name_and_served_by_the_classifiers_of_its_pictures(tmp_path: Path) -> None:
    places = models.shipped(CHECKPOINTS, "fashion-mnist")
    offers = models.offers([*places, places[0]])
    names = [each.name for each in offers]
    assert names[0] == "fashion-mnist"
    assert not any(name.endswith(("-classifier", "-guide")) for name in names)
    assert len(set(names)) == len(names) == len(places)
    small = next(each for each in offers if each.name == "fashion-mnist-p-uncond-0.1")
    found = models.load(small, torch.device("cpu"), tmp_path)
    assert found.checkpoint.denoiser.classifies
    assert found.measure is not None


def test_a_training_run_has_the_name_of_its_folder(tmp_path: Path, coloured: Checkpoint) -> None:
    where = tmp_path / "mine" / "checkpoint"
    checkpoints.save(where, coloured.config, coloured.denoiser.network.state_dict())
    assert models.offer(where).name == "mine"
    with pytest.raises(checkpoints.CheckpointError, match=r"has no config\.json"):
        models.offer(tmp_path)


def test_a_classifier_of_other_pictures_serves_nobody(tmp_path: Path, coloured: Checkpoint) -> None:
    from cfg_core.judge import beside

    (tmp_path / "other-classifier").mkdir()
    for file in (CHECKPOINTS / "fashion-mnist-classifier").iterdir():
        (tmp_path / "other-classifier" / file.name).write_bytes(file.read_bytes())
    assert beside(tmp_path / "mine", "classifier", coloured.config) is None
    fashion = models.offer(CHECKPOINTS / "fashion-mnist").config
    assert beside(tmp_path / "mine", "classifier", fashion) == tmp_path / "other-classifier"
    assert beside(tmp_path / "mine", "classifier", replace(fashion, data="cifar10")) is None
