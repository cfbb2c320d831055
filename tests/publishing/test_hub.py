"""To the Hub and back, over real HTTP to a Hub on this machine; and what happens where it fails."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import (
    CARD,
    CONFIG,
    WEIGHTS,
    CheckpointConfig,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from cfg_core.checkpoints.model_card import model_card
from cfg_core.commands.hub import main
from cfg_core.diffusion.schedule import Schedule
from cfg_core.evaluation.curve_file import Curve, parse_curve
from cfg_core.networks.unet import UNetConfig
from cfg_core.publishing.hub import pull, push
from cfg_core.publishing.pushed_card import PICTURE
from tests.conftest import small_network
from tests.curve_files import record
from tests.fake_hub import FakeHub, switch_off
from tests.publishing.sentences import ABSENT, BROKEN, CUT, UNKNOWN

NAME = "someone/something"
CONFIG_OF = CheckpointConfig(
    UNetConfig(1, 8, 2, (16, 32), (1, 1), (1, 1), embedding=32), Schedule(), "v", "v", ("zero", "one"), "fashion_mnist",
    "MIT", 0.1, 7, "",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    network = small_network(num_classes=2)
    save_checkpoint(tmp_path / "mine", CONFIG_OF, network.state_dict(), model_card(CONFIG_OF))
    return tmp_path / "mine"


def test_what_was_pushed_is_pulled_as_it_was(there: FakeHub, folder: Path, tmp_path: Path) -> None:
    assert push(folder, NAME) == f"{there.address}/{NAME}"
    found = pull(NAME, tmp_path / "again")
    assert found.config == CONFIG_OF
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == sorted((WEIGHTS, CONFIG, CARD))
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    assert load_checkpoint(NAME).hash == found.hash, "and by its name, without a folder"


def test_a_push_is_one_commit_of_four_files(there: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    assert sorted(there.files[f"models/{NAME}"]) == sorted((WEIGHTS, CONFIG, CARD, PICTURE))
    assert [path for _, path in there.calls if "/commit/" in path] == [f"/api/models/{NAME}/commit/main"]
    picture = Image.open(io.BytesIO(there.files[f"models/{NAME}"][PICTURE]))
    assert picture.width > 3 * 8


def curve(model: str, **changes: Any) -> Curve:
    return parse_curve(f"{model}.json", json.dumps(record(model=model, **changes)))


def test_the_card_carries_the_figures_of_these_weights_in_the_hubs_format(there: FakeHub, folder: Path) -> None:
    mine = load_checkpoint(folder).hash
    measured = [curve("another"), curve(mine)]
    push(folder, NAME, measured)
    _, header, text = there.files[f"models/{NAME}"][CARD].decode().split("---\n", 2)
    [model] = yaml.safe_load(header)["model-index"]
    assert model["name"] == "something"
    [result] = model["results"]
    assert result["dataset"] == {"name": "fashion_mnist", "type": "zalando-datasets/fashion_mnist"}
    fid = {m["args"]["w"]: m["value"] for m in result["metrics"] if m["type"] == "fid"}
    assert fid == {p.w: round(p.figures["fid"].value, 4) for p in measured[1].points if p.w in (0, 0.3)}
    assert "not comparable with FID over Inception features" in text
    assert f"({PICTURE})" in text


def test_without_figures_the_card_claims_none(there: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    assert "model-index" not in there.files[f"models/{NAME}"][CARD].decode()


def test_a_card_that_was_pulled_is_pushed_as_it_was(there: FakeHub, folder: Path, tmp_path: Path) -> None:
    figures = [curve(load_checkpoint(folder).hash)]
    push(folder, NAME, figures)
    first = there.files[f"models/{NAME}"][CARD]
    pull(NAME, tmp_path / "again")
    push(tmp_path / "again", NAME, figures)
    assert there.files[f"models/{NAME}"][CARD] == first
    assert first.count(PICTURE.encode()) == 1


def test_new_figures_take_the_place_of_those_in_the_card(there: FakeHub, folder: Path, tmp_path: Path) -> None:
    mine = load_checkpoint(folder).hash
    push(folder, NAME, [curve(mine)])
    pull(NAME, tmp_path / "again")
    push(tmp_path / "again", "someone/other", [curve(mine, steps=7)])
    push(folder, "someone/fresh", [curve(mine, steps=7)])
    other, fresh = (there.files[f"models/someone/{name}"][CARD].decode() for name in ("other", "fresh"))
    assert other.replace("name: other", "name: fresh") == fresh


def test_figures_that_nobody_gives_again_do_not_stay_in_the_card(there: FakeHub, folder: Path, tmp_path: Path) -> None:
    push(folder, NAME, [curve(load_checkpoint(folder).hash)])
    pull(NAME, tmp_path / "again")
    push(tmp_path / "again", NAME)
    push(folder, "someone/fresh")
    assert there.files[f"models/{NAME}"][CARD] == there.files["models/someone/fresh"][CARD]


def test_what_would_not_load_is_not_pushed(there: FakeHub, folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        push(folder, NAME)
    assert there.calls == []


@pytest.mark.parametrize(
    ("where", "fault", "reason"),
    [
        ("/api/repos/create", 401, UNKNOWN),
        ("/commit/", 401, UNKNOWN),
        ("/commit/", 403, "the Hub does not allow it, to you or to your token"),
        ("/api/repos/create", 400, "the Hub refuses it with 400, no"),
        ("/commit/", 500, BROKEN),
        ("/commit/", "cut", CUT),
        ("/large/", 500, BROKEN),
        ("/large/", "cut", CUT),
    ],
)
def test_a_refused_push_is_one_sentence(
    there: FakeHub, folder: Path, where: str, fault: int | str, reason: str
) -> None:
    there.fault[where] = fault
    with pytest.raises(CheckpointError) as refused:
        push(folder, NAME)
    assert str(refused.value) == f"{NAME} could not be uploaded to the Hub: {reason}"
    assert there.files.get(f"models/{NAME}", {}) == {}


@pytest.mark.parametrize(
    ("where", "fault", "reason"),
    [
        ("/api/models", 401, ABSENT),
        ("/api/models", 403, "the Hub does not allow it, to you or to your token"),
        ("/api/models", 429, "the Hub has had too many requests from here: try again later"),
        ("/api/models", 500, BROKEN),
        ("/api/models", "GatedRepo", "it is gated: ask for access on its page on the Hub, then run hf auth login"),
        ("/resolve/", "EntryNotFound", f"it has no file {WEIGHTS}"),
        ("/resolve/", 500, BROKEN),
        (WEIGHTS, "cut", CUT),
    ],
)
def test_a_pull_that_fails_is_one_sentence_and_leaves_nothing(
    there: FakeHub, folder: Path, tmp_path: Path, where: str, fault: int | str, reason: str
) -> None:
    push(folder, NAME)
    there.fault[where] = fault
    with pytest.raises(CheckpointError) as refused:
        pull(NAME, tmp_path / "again")
    assert str(refused.value) == f"{NAME} could not be had from the Hub: {reason}"
    assert sorted(path.name for path in tmp_path.iterdir()) in (["mine"], ["cache", "mine"])


def test_weights_go_by_the_way_of_large_files(there: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    weights = (folder / WEIGHTS).read_bytes()
    assert there.large[hashlib.sha256(weights).hexdigest()] == weights


@pytest.mark.parametrize(("name", "digits"), [(WEIGHTS, 64), (CONFIG, 40)])
def test_a_file_that_is_not_what_the_hub_says_is_not_kept(
    there: FakeHub, folder: Path, tmp_path: Path, name: str, digits: int
) -> None:
    push(folder, NAME)
    there.fault[name] = "wrong"
    with pytest.raises(
        CheckpointError, match=rf"^{name} must have the hash \w{{{digits}}} that the Hub reports, got \w{{{digits}}}$"
    ):
        pull(NAME, tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) in (["mine"], ["cache", "mine"])


def test_a_name_that_is_not_there_is_not_taken_for_a_login_that_is_missing(there: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as refused:
        pull("someone/typo", tmp_path / "again")
    assert str(refused.value) == f"someone/typo could not be had from the Hub: {ABSENT}"
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint("someone/typo")
    what = "checkpoint 'someone/typo' is no folder here and could not be had from the Hub"
    assert str(refused.value) == f"{what}: {ABSENT}"


def test_without_a_network_it_is_had_from_the_cache(
    there: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(folder, NAME)
    offered = describe_model(NAME)
    switch_off(monkeypatch)
    assert describe_model(NAME) == offered
    assert load_checkpoint(NAME).hash == offered.hash


def test_without_a_network_it_is_one_sentence(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_off(monkeypatch)
    for what, fails in (
        ("uploaded to", lambda: push(folder, NAME)),
        ("had from", lambda: pull(NAME, tmp_path / "again")),
    ):
        with pytest.raises(CheckpointError) as refused:
            fails()
        assert str(refused.value) == f"{NAME} could not be {what} the Hub: the Hub cannot be reached from here"


def test_a_pickle_is_never_pulled(there: FakeHub, tmp_path: Path) -> None:
    there.files[f"models/{NAME}"] = {"pytorch_model.bin": b"\x80", CONFIG: b"{}"}
    with pytest.raises(CheckpointError, match=r"must have model\.safetensors, it has pytorch_model\.bin, config\.json"):
        pull(NAME, tmp_path / "again")
    assert not any("/resolve/" in path for _, path in there.calls)


def test_weights_that_do_not_fit_are_not_left_behind(there: FakeHub, folder: Path, tmp_path: Path) -> None:
    push(folder, NAME)
    there.files[f"models/{NAME}"][WEIGHTS] = there.files[f"models/{NAME}"][WEIGHTS][:100]
    with pytest.raises(CheckpointError, match="cut off or not a safetensors file"):
        pull(NAME, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_nothing_that_is_there_is_overwritten(there: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    with pytest.raises(CheckpointError, match="folder must be new"):
        pull(NAME, folder)


def test_the_command_refuses_with_2_and_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["push", str(tmp_path), NAME])
    assert ended.value.code == 2
    assert "has no config.json" in capsys.readouterr().err
