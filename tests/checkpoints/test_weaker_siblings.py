"""The weaker sibling of a model: trained by the ordinary command, found by name, and refused where it does not fit."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cfg_core.checkpoints.catalog import describe_model, shipped_models
from cfg_core.checkpoints.format import (
    CONFIG,
    WEIGHTS,
    Checkpoint,
    CheckpointConfig,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from cfg_core.checkpoints.weaker_siblings import find_weaker, with_weaker
from cfg_core.commands.train import main
from cfg_core.data.datasets import load_dataset
from cfg_core.diffusion.schedule import Schedule
from cfg_core.grids.code import python_code
from cfg_core.grids.drawing import check_drawable, draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.registry import load_model
from tests.conftest import small_network

TINY = ["--widths", "16", "--encoder", "1", "--decoder", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the synthetic pictures that has learnt nothing; beside it a smaller one, trained by the command."""
    there = tmp_path_factory.mktemp("models")
    network, synthetic = small_network(size=16, num_classes=4), load_dataset("synthetic")
    config = CheckpointConfig(
        network.config, Schedule(), "v", "v", synthetic.classes, "synthetic", "none", 0.1, 0, "none"
    )
    save_checkpoint(there / "mine", config, network.state_dict(), "")
    main(["--data", "synthetic", "--run", str(there / "run"), "--images", "64", "--batch", "64", *TINY])
    (there / "run" / "checkpoint").rename(there / "mine-weak")
    return there / "mine"


def test_it_is_found_by_name_and_is_no_model_to_choose(folder: Path, tmp_path: Path) -> None:
    assert find_weaker(folder) == find_weaker(f"{folder}/") == folder.with_name("mine-weak")
    assert find_weaker(tmp_path) is None
    assert [each.name for each in shipped_models(folder.parent, "mine")] == ["mine"]


def test_a_model_is_loaded_with_it_and_a_request_records_its_hash(folder: Path) -> None:
    model = load_model(describe_model(folder), torch.device("cpu")).checkpoint
    alone, sibling = load_checkpoint(folder), load_checkpoint(folder.with_name("mine-weak"))
    assert (alone.weaker, model.weaker) == ("", sibling.hash)
    assert model.denoiser.sources == {"model", "weaker"}
    request = GridRequest.parse({"rule": "autoguidance", "w": 1}, model.hash, 4, model.guide, model.weaker)
    assert request.weaker == sibling.hash
    assert draw_grid(model.denoiser, check_drawable(model.denoiser, request)).any()
    assert GridRequest.parse({"rule": "cfg"}, model.hash, 4, "", model.weaker).weaker == ""
    with pytest.raises(ValueError, match=f"weaker must be {sibling.hash}, the loaded one, got 'other'"):
        GridRequest.parse({"rule": "autoguidance", "weaker": "other"}, model.hash, 4, "", model.weaker)


def test_where_there_is_none_the_rule_is_refused_in_one_sentence(folder: Path) -> None:
    request = GridRequest("any", (0,), rule="autoguidance")
    with pytest.raises(ValueError, match=r"^rule must be one of cfg, .*, got 'autoguidance'$"):
        check_drawable(load_checkpoint(folder).denoiser, request)


def test_the_python_code_of_a_request_loads_it(folder: Path) -> None:
    code = python_code(GridRequest("any", (0,), rule="autoguidance", weaker="0123"), "checkpoints/mine")
    assert "model = with_weaker(model, 'checkpoints/mine-weak')" in code
    assert "    weaker=model.weaker,\n" in code


def test_one_that_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(folder)
    with pytest.raises(ValueError, match=r"weaker must be of the checkpoint's pictures \(1, 16, 16\), classes"):
        with_weaker(checkpoint, changed(folder, tmp_path, classes=["a", "b", "c", "d"]))
    with pytest.raises(CheckpointError, match="neither a folder nor a Hub name"):
        with_weaker(checkpoint, "nowhere")
    assert checkpoint.denoiser.weaker is None


def test_a_classifier_stays_beside_it(folder: Path) -> None:
    checkpoint: Checkpoint = load_checkpoint(folder)
    classifier = torch.nn.Identity()
    guided = replace(
        checkpoint,
        denoiser=type(checkpoint.denoiser)(
            checkpoint.denoiser.network, Schedule(), tuple(checkpoint.config.classes), classifier=classifier
        ),
    )
    assert with_weaker(guided, folder.with_name("mine-weak")).denoiser.classifier is classifier


def changed(folder: Path, copy: Path, **fields: object) -> Path:
    raw = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (copy / CONFIG).write_text(json.dumps({**raw, **fields}), encoding="utf-8")
    (copy / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes())
    return copy
