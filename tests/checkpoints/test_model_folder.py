"""Which files of a model's folder are read: plain ones that lie in it, whatever else bears their names."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.checkpoints.model_folder import CONFIG, WEIGHTS, CheckpointError
from cfg_core.checks import LONGEST_MESSAGE
from cfg_core.files import MOST_TEXT_BYTES
from tests.checkpoints.test_weights import save_model

NAMES = pytest.mark.parametrize("name", [WEIGHTS, CONFIG])


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("absent"))


def as_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def as_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def as_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def as_link_out(path: Path) -> None:
    shutil.move(path, path.parents[1] / "elsewhere")
    path.symlink_to(path.parents[1] / "elsewhere")


POSIX = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and devices are files on POSIX systems")


@NAMES
@pytest.mark.parametrize(
    ("replace", "sentence"),
    [
        (Path.unlink, " has no {}"),
        (as_folder, ": {} is no file"),
        (as_dangling_link, ": {} leads nowhere"),
        (as_circle, ": {} leads nowhere"),
        pytest.param(as_pipe, ": {} is no file", marks=POSIX),
        pytest.param(as_device, ": {} is no file", marks=POSIX),
        (as_link_out, ": {} must lie in that folder, got a link to "),
    ],
)
def test_what_is_no_file_of_the_folder_is_refused(
    name: str, replace: Callable[[Path], None], sentence: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    save_model(folder)
    replace(folder / name)
    for read in (describe_model, load_checkpoint):
        with pytest.raises(CheckpointError) as refused:
            read(folder)
        assert str(refused.value).startswith(f"checkpoint {folder}{sentence.format(name)}")


@NAMES
def test_links_within_the_folder_and_to_the_folder_are_followed(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save_model(folder)
    (folder / name).rename(folder / "other")
    (folder / name).symlink_to("other")
    (tmp_path / "link").symlink_to(folder)
    assert load_checkpoint(tmp_path / "link").hash == describe_model(folder).hash


def test_in_the_hubs_cache_links_lead_to_the_files_of_the_repository(tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "models--a--b" / "snapshots" / ("c" * 40), tmp_path / "models--a--b" / "blobs"
    save_model(snapshot)
    blobs.mkdir()
    for name in (WEIGHTS, CONFIG):
        shutil.move(snapshot / name, blobs / name)
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    assert load_checkpoint(snapshot).hash == describe_model(snapshot).hash
    (snapshot / WEIGHTS).unlink()
    shutil.move(blobs / WEIGHTS, tmp_path / WEIGHTS)
    (snapshot / WEIGHTS).symlink_to(tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match="must lie in that folder"):
        load_checkpoint(snapshot)


def test_a_config_of_too_many_bytes_is_not_parsed(tmp_path: Path) -> None:
    save_model(tmp_path)
    with (tmp_path / CONFIG).open("ab") as file:
        file.truncate(MOST_TEXT_BYTES + 1)
    with pytest.raises(CheckpointError, match=r"is not valid: config\.json has more than 10,000,000 bytes"):
        load_checkpoint(tmp_path)


def test_a_config_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path)
    (tmp_path / CONFIG).write_bytes(b"\xff{}")
    with pytest.raises(CheckpointError, match=r"config\.json is not valid: 'utf-8' codec"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("where", ["x" * 300, "x" * 300 + "/y", "/" + "x/" * 3000, "a\0b", "caf\udce9", "\x1b[2J"])
def test_a_name_that_can_be_no_folder_is_one_line(where: str) -> None:
    for read in (describe_model, load_checkpoint):
        with pytest.raises(CheckpointError) as refused:
            read(where)
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) <= LONGEST_MESSAGE
