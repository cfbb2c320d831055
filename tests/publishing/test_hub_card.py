"""The model card in a Hub repository: it has the figures that were measured of these weights."""

import json
from pathlib import Path
from typing import Any

import yaml

from cfg_core.checkpoints.format import CARD, load_checkpoint
from cfg_core.evaluation.curve_file import Curve, parse_curve
from cfg_core.publishing.hub import pull, push
from cfg_core.publishing.pushed_card import PICTURE
from tests.curve_files import record
from tests.fake_hub import FakeHub
from tests.publishing.repository import NAME


def curve(model: str, **changes: Any) -> Curve:
    return parse_curve(f"{model}.json", json.dumps(record(model=model, **changes)))


def test_the_card_carries_the_figures_of_these_weights_in_the_hubs_format(hub: FakeHub, folder: Path) -> None:
    mine = load_checkpoint(folder).hash
    measured = [curve("another"), curve(mine)]
    push(folder, NAME, measured)
    _, header, text = hub.files[f"models/{NAME}"][CARD].decode().split("---\n", 2)
    [model] = yaml.safe_load(header)["model-index"]
    assert model["name"] == "something"
    [result] = model["results"]
    assert result["dataset"] == {"name": "fashion_mnist", "type": "zalando-datasets/fashion_mnist"}
    fid = {m["args"]["w"]: m["value"] for m in result["metrics"] if m["type"] == "fid"}
    assert fid == {p.w: round(p.figures["fid"].value, 4) for p in measured[1].points if p.w in (0, 0.3)}
    assert "not comparable with FID over Inception features" in text
    assert f"({PICTURE})" in text


def test_a_card_without_figures_has_no_model_index(hub: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    assert "model-index" not in hub.files[f"models/{NAME}"][CARD].decode()


def test_a_card_that_was_pulled_is_pushed_as_it_was(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    figures = [curve(load_checkpoint(folder).hash)]
    push(folder, NAME, figures)
    first = hub.files[f"models/{NAME}"][CARD]
    pull(NAME, tmp_path / "again")
    push(tmp_path / "again", NAME, figures)
    assert hub.files[f"models/{NAME}"][CARD] == first
    assert first.count(PICTURE.encode()) == 1


def test_new_figures_replace_those_of_the_card(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    mine = load_checkpoint(folder).hash
    push(folder, NAME, [curve(mine)])
    pull(NAME, tmp_path / "again")
    push(tmp_path / "again", "someone/other", [curve(mine, steps=7)])
    push(folder, "someone/fresh", [curve(mine, steps=7)])
    other, fresh = (hub.files[f"models/someone/{name}"][CARD].decode() for name in ("other", "fresh"))
    assert other.replace("name: other", "name: fresh") == fresh


def test_a_push_without_figures_removes_those_of_the_card(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    push(folder, NAME, [curve(load_checkpoint(folder).hash)])
    pull(NAME, tmp_path / "again")
    push(tmp_path / "again", NAME)
    push(folder, "someone/fresh")
    assert hub.files[f"models/{NAME}"][CARD] == hub.files["models/someone/fresh"][CARD]
