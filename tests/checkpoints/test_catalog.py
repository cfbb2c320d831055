"""Models by the name of their folder, however the folder is written."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from cfg_core.checkpoints.catalog import describe_model, shipped_models
from cfg_core.serving.registry import load_model

MODEL = Path(__file__).parents[2] / "checkpoints" / "fashion-mnist"


@pytest.mark.parametrize("written", [str(MODEL), f"{MODEL}/", f"{MODEL}/.", "."])
def test_a_model_has_its_name_and_its_classifiers_however_its_folder_is_written(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(MODEL)
    found = describe_model(written)
    assert (found.name, found.where) == ("fashion-mnist", os.path.abspath(MODEL))
    model = load_model(found, torch.device("cpu"))
    assert model.measure is not None
    assert model.checkpoint.guide


def test_every_model_that_ships_has_a_title_and_any_other_that_of_its_folder(tmp_path: Path) -> None:
    shipped = [describe_model(where) for where in shipped_models(MODEL.parent, MODEL.name)]
    assert all(each.config.title for each in shipped)
    assert len({each.title for each in shipped}) == len(shipped)
    for name in ("model.safetensors", "config.json"):
        shutil.copy(MODEL / name, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    del config["title"]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert describe_model(tmp_path).title == tmp_path.name


def test_the_checkpoint_of_a_run_has_the_name_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "checkpoint").symlink_to(MODEL)
    assert describe_model(tmp_path / "mine" / "checkpoint").name == "mine"
