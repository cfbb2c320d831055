"""Files are whole, whoever writes them and whatever goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cfg_core.files import check_writable, write_atomically

WRITE = """
import sys
from pathlib import Path
from cfg_core.files import write_atomically
for _ in range(200):
    write_atomically(Path(sys.argv[1]), sys.argv[2].encode() * 100_000)
"""


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_several_processes_may_write_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, path, letter]) for letter in "abc"]
    read = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 100_000
            read |= set(content)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert read <= set(b"abc")
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "file", b"old")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.skipif(os.name == "nt", reason="permissions are those of POSIX")
def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomically(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("folder", [False, True])
def test_a_place_that_can_be_written_is_left_as_it_was(folder: bool, tmp_path: Path) -> None:
    check_writable("out", tmp_path / "new" / "place", folder=folder)
    assert [path.name for path in tmp_path.rglob("*")] == (["new", "place"] if folder else ["new"])
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    check_writable("out", tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    ("name", "folder", "message"),
    [
        ("file/below", False, "out must be a file that can be written, got .*file/below"),
        ("file", True, "out must be a folder that can be written, got .*file \\(File exists\\)"),
        ("folder", False, "out must be a file that can be written, got .*folder \\(it is a folder\\)"),
        ("caf\udce9", False, "out must be valid UTF-8"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_sentence(name: str, folder: bool, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match=message):
        check_writable("out", tmp_path / name, folder=folder)
