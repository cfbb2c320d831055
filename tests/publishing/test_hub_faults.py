"""A push or a pull that fails is one sentence and leaves nothing behind."""

from pathlib import Path

import pytest

from cfg_core.checkpoints.format import CONFIG, WEIGHTS, CheckpointError, load_checkpoint
from cfg_core.publishing.hub import pull, push
from tests.fake_hub import FakeHub, switch_off
from tests.publishing.repository import NAME
from tests.publishing.sentences import ABSENT, BROKEN, CUT, UNKNOWN


def test_what_would_not_load_is_not_pushed(hub: FakeHub, folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        push(folder, NAME)
    assert hub.calls == []


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
def test_a_refused_push_is_one_sentence(hub: FakeHub, folder: Path, where: str, fault: int | str, reason: str) -> None:
    hub.fault[where] = fault
    with pytest.raises(CheckpointError) as refused:
        push(folder, NAME)
    assert str(refused.value) == f"{NAME} could not be uploaded to the Hub: {reason}"
    assert hub.files.get(f"models/{NAME}", {}) == {}


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
    hub: FakeHub, folder: Path, tmp_path: Path, where: str, fault: int | str, reason: str
) -> None:
    push(folder, NAME)
    hub.fault[where] = fault
    with pytest.raises(CheckpointError) as refused:
        pull(NAME, tmp_path / "again")
    assert str(refused.value) == f"{NAME} could not be fetched from the Hub: {reason}"
    assert sorted(path.name for path in tmp_path.iterdir()) in (["mine"], ["cache", "mine"])


@pytest.mark.parametrize(("name", "digits"), [(WEIGHTS, 64), (CONFIG, 40)])
def test_a_file_of_another_hash_than_the_hub_reports_is_not_kept(
    hub: FakeHub, folder: Path, tmp_path: Path, name: str, digits: int
) -> None:
    push(folder, NAME)
    hub.fault[name] = "wrong"
    with pytest.raises(
        CheckpointError, match=rf"^{name} must have the hash \w{{{digits}}} that the Hub reports, got \w{{{digits}}}$"
    ):
        pull(NAME, tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) in (["mine"], ["cache", "mine"])


def test_an_unknown_name_is_not_reported_as_a_missing_login(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as refused:
        pull("someone/typo", tmp_path / "again")
    assert str(refused.value) == f"someone/typo could not be fetched from the Hub: {ABSENT}"
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint("someone/typo")
    what = "checkpoint 'someone/typo' is no folder here and could not be fetched from the Hub"
    assert str(refused.value) == f"{what}: {ABSENT}"


def test_without_a_network_push_and_pull_are_one_sentence(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_off(monkeypatch)
    for what, fails in (
        ("uploaded to", lambda: push(folder, NAME)),
        ("fetched from", lambda: pull(NAME, tmp_path / "again")),
    ):
        with pytest.raises(CheckpointError) as refused:
            fails()
        assert str(refused.value) == f"{NAME} could not be {what} the Hub: the Hub cannot be reached from here"


def test_a_pickle_is_never_pulled(hub: FakeHub, tmp_path: Path) -> None:
    hub.files[f"models/{NAME}"] = {"pytorch_model.bin": b"\x80", CONFIG: b"{}"}
    with pytest.raises(CheckpointError, match=r"must have model\.safetensors, it has pytorch_model\.bin, config\.json"):
        pull(NAME, tmp_path / "again")
    assert not any("/resolve/" in path for _, path in hub.calls)


def test_weights_that_do_not_fit_are_not_left_behind(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    push(folder, NAME)
    hub.files[f"models/{NAME}"][WEIGHTS] = hub.files[f"models/{NAME}"][WEIGHTS][:100]
    with pytest.raises(CheckpointError, match="cut off or not a safetensors file"):
        pull(NAME, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_an_existing_folder_is_not_overwritten(hub: FakeHub, folder: Path) -> None:
    push(folder, NAME)
    with pytest.raises(CheckpointError, match="folder must be new"):
        pull(NAME, folder)
