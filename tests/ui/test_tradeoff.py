"""What the Trade-off tab is sent: the curves of each model on the page, and the names of both."""

from dataclasses import replace
from pathlib import Path

from cfg_core.checkpoints.catalog import ModelInfo
from cfg_core.evaluation.curves import read_curves
from cfg_core.serving.engine import Engine
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.tradeoff import TradeOff
from tests.curve_files import MODEL, everything, other, record, write

SMALL = other(0.5)["checkpoint"]["hash"]


def test_every_model_on_the_page_that_was_measured_has_a_group_of_its_own(tiny_engine: Engine, tmp_path: Path) -> None:
    first = ModelInfo("first", "", MODEL, next(iter(tiny_engine.checkpoints.values())).config)
    models = [first, replace(first, name="half", hash=SMALL), replace(first, name="new", hash="ffffffffffff")]
    files = everything() | {"photos.json": record(model="aaaaaaaaaaaa", data="photos")}
    curves = read_curves(write(tmp_path, files), [each.hash for each in models])
    sent = TradeOff(ModelRegistry(tiny_engine, models), curves).read()
    assert sent["models"] == [
        {"hash": MODEL, "title": "first"}, {"hash": SMALL, "title": "half"}, {"hash": "ffffffffffff", "title": "new"},
    ]  # fmt: skip
    groups = {group["name"]: group for group in sent["groups"]}
    assert list(groups) == ["strength", "p_uncond", "steps", "method", "strength-photos", f"strength-{SMALL}"]
    own = groups[f"strength-{SMALL}"]
    assert (own["title"], own["main"], own["data"]) == ("Guidance strength", "p-uncond-0.5.json", "fashion_mnist")
    assert [curve["hash"] for curve in own["curves"]] == [SMALL]
    assert [each["chart"] for each in own["conclusions"]] == ["fid", "fid", "precision", "precision"]
    assert groups["strength-photos"]["title"] == "Guidance strength"
    assert [groups[name]["main"] for name in ("strength", "method", "p_uncond", "steps")] == [
        "main.json", "main.json", None, None,
    ]  # fmt: skip
