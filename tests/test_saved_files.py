"""Everything saved until today opens: what ships, and one file of each kind as it was written before versions."""

import json
from pathlib import Path
from typing import Any

import pytest

from cfg_core.checkpoints.classifiers import ClassifierConfig
from cfg_core.checkpoints.format import CONFIG, VERSION, CheckpointConfig
from cfg_core.evaluation.curve_file import Curve, parse_curve

ROOT = Path(__file__).parents[1]
OLD = Path(__file__).parent / "saved_before_versions"
"""model.json, classifier.json and guide.json: configs to the letter; curve.json: a curve file cut to one w; strips.npz:
two grids, one of them with its meter."""


def parsed(content: str) -> CheckpointConfig | ClassifierConfig:
    return (CheckpointConfig if "p_uncond" in json.loads(content) else ClassifierConfig).from_json(content)


@pytest.mark.parametrize("path", sorted((ROOT / "checkpoints").glob(f"*/{CONFIG}")), ids=lambda path: path.parent.name)
def test_every_config_that_ships_opens_and_is_written_with_a_version(path: Path) -> None:
    config = parsed(path.read_text(encoding="utf-8"))
    written = config.to_json()
    assert json.loads(written)["version"] == VERSION
    assert parsed(written) == config


@pytest.mark.parametrize("path", sorted((ROOT / "assets" / "curves").glob("*.json")), ids=lambda path: path.name)
def test_every_curve_file_that_ships_opens(path: Path) -> None:
    curve = parse_curve(path.name, path.read_text(encoding="utf-8"))
    assert isinstance(curve, Curve)
    assert len(curve.points) == len(json.loads(path.read_text(encoding="utf-8"))["results"])


def test_old_files_open_and_what_they_lack_takes_its_default() -> None:
    model, classifier, guide = (
        parsed((OLD / f"{name}.json").read_text(encoding="utf-8")) for name in ("model", "classifier", "guide")
    )
    assert isinstance(model, CheckpointConfig)
    assert model.finished
    assert isinstance(classifier, ClassifierConfig)
    assert (classifier.schedule, classifier.spread, classifier.architecture.stem) == (None, 0.0, 0)
    assert isinstance(guide, ClassifierConfig)
    assert guide.schedule is not None
    assert all('"version":' not in path.read_text(encoding="utf-8") for path in OLD.glob("*.json"))
    curve = parse_curve("curve.json", (OLD / "curve.json").read_text(encoding="utf-8"))
    assert curve.real_baseline["fid"].value < curve.points[0].figures["fid"].value


@pytest.mark.parametrize("name", ["model", "classifier"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": VERSION + 1}, f"version must be a whole number from 1 to {VERSION}, got {VERSION + 1}"),
        ({"version": "1"}, "version must be a whole number"),
        ({"surprise": 1}, r"config has the unknown fields \['surprise'\]"),
        ({"architecture": {"surprise": 1}}, r"architecture has the unknown fields \['surprise'\]"),
    ],
)
def test_what_is_not_known_here_is_refused_by_name(name: str, change: dict[str, Any], message: str) -> None:
    raw = json.loads((OLD / f"{name}.json").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match=message):
        parsed(json.dumps({**raw, **change}))


@pytest.mark.parametrize("name", ["model", "classifier"])
def test_a_field_that_cannot_be_left_out_is_named(name: str) -> None:
    raw = json.loads((OLD / f"{name}.json").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match=r"config lacks the fields \['data'\]"):
        parsed(json.dumps({field: value for field, value in raw.items() if field != "data"}))
