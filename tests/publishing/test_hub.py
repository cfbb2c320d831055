"""To the Hub and back, over real HTTP to a Hub on this machine."""

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import CARD, CONFIG, WEIGHTS, load_checkpoint
from cfg_core.checkpoints.model_folder import REAL
from cfg_core.commands.hub import main
from cfg_core.publishing.hub import pull, push
from cfg_core.publishing.pushed_card import PICTURE
from tests.fake_hub import FakeHub, switch_off
from tests.publishing.repository import MODEL_CONFIG, NAME


def test_what_was_pushed_is_pulled_as_it_was(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    assert push(folder, NAME) == f"{hub.address}/{NAME}"
    found = pull(NAME, tmp_path / "again")
    assert found.config == MODEL_CONFIG
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == sorted((WEIGHTS, CONFIG, CARD))
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    assert load_checkpoint(NAME).hash == found.hash, "and by its name, without a folder"


def test_a_push_is_one_commit_of_four_files(hub: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    assert sorted(hub.files[f"models/{NAME}"]) == sorted((WEIGHTS, CONFIG, CARD, PICTURE))
    assert [path for _, path in hub.calls if "/commit/" in path] == [f"/api/models/{NAME}/commit/main"]
    picture = Image.open(io.BytesIO(hub.files[f"models/{NAME}"][PICTURE]))
    assert picture.width > 3 * 8


def test_a_sheet_of_real_pictures_goes_along(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(folder / REAL)
    push(folder, NAME)
    pull(NAME, tmp_path / "again")
    assert (tmp_path / "again" / REAL).read_bytes() == (folder / REAL).read_bytes()


def test_weights_are_uploaded_as_large_files(hub: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    weights = (folder / WEIGHTS).read_bytes()
    assert hub.large[hashlib.sha256(weights).hexdigest()] == weights


def test_without_a_network_a_model_is_loaded_from_the_cache(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(folder, NAME)
    info = describe_model(NAME)
    switch_off(monkeypatch)
    assert describe_model(NAME) == info
    assert load_checkpoint(NAME).hash == info.hash


def test_the_command_refuses_with_2_and_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["push", str(tmp_path), NAME])
    assert ended.value.code == 2
    assert "has no config.json" in capsys.readouterr().err
