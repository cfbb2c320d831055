"""Strips that ship with the app: what was written is what comes back, and only beside its own weights."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cfg_core.checkpoints.format import Checkpoint, load_checkpoint
from cfg_core.commands.precompute import main
from cfg_core.evaluation.meters import Meter
from cfg_core.grids.ladder import rail, strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving import precomputed
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.precomputed import draw_frame, load_strips, save_strips

OLD = Path(__file__).parents[1] / "saved_before_versions" / "strips.npz"
A = GridRequest("0123456789ab", (3,), (2.0,), samples=4, steps=2)


def test_what_is_saved_comes_back_and_is_what_the_engine_draws(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    frames = [draw_frame(tiny_checkpoint.denoiser, request) for request in strip(A)]
    save_strips(tmp_path / "strips.npz", frames)
    loaded = load_strips(tmp_path, A.checkpoint)
    assert [frame.request for frame in loaded] == list(strip(A))
    assert all(frame.done and frame.precomputed for frame in loaded)
    engine = Engine(Model(tiny_checkpoint))
    try:
        for frame in loaded:
            assert np.array_equal(frame.pixels, engine.draw(frame.request))
    finally:
        engine.close()


def test_beside_other_weights_nothing_is_shown(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_strips(tmp_path / "strips.npz", [draw_frame(tiny_checkpoint.denoiser, A)])
    assert load_strips(tmp_path, "another") == []
    assert load_strips(tmp_path / "absent", A.checkpoint) == []


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut off"])
def test_a_broken_file_is_logged_and_left_out(
    tiny_checkpoint: Checkpoint, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.npz").write_bytes(content)
    save_strips(tmp_path / "good.npz", [draw_frame(tiny_checkpoint.denoiser, A)])
    assert [frame.request for frame in load_strips(tmp_path, A.checkpoint)] == [A]
    assert "broken.npz" in caplog.text


def rewrite(path: Path, **changes: Any) -> None:
    """Save the arrays of a file again, with some of them changed; None leaves one out."""
    with np.load(path) as file:
        arrays = {**file, **changes}
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize("written", [True, False])
def test_a_file_of_version_1_opens_with_the_meters_of_its_classifier(written: bool, tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path)
    if not written:
        rewrite(tmp_path / OLD.name, version=None)
    with np.load(OLD) as file:
        pixels = [file["pixels0"], file["pixels1"]]
    found = load_strips(tmp_path, A.checkpoint, "ba9876543210")
    assert [frame.request for frame in found] == [replace(A, w=(w,)) for w in (0.0, 1.0)]
    assert [frame.meter for frame in found] == [Meter(0.5, 3.25), None]
    assert all(map(np.array_equal, [frame.pixels for frame in found], pixels))
    assert [frame.meter for frame in load_strips(tmp_path, A.checkpoint, "another")] == [None, None]
    save_strips(tmp_path / OLD.name, found, "ba9876543210")
    again = load_strips(tmp_path, A.checkpoint, "ba9876543210")
    assert [frame.meter for frame in again] == [Meter(0.5, 3.25), None]


METERS = {"classifier": "", "meters": [None, None]}
NAN = {"classifier": "", "meters": [{"fidelity": math.nan, "diversity": 1}] * 2}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"requests": np.array("[" * 100_000)}, "nested too deeply"),
        ({"meters": np.array("[" * 100_000)}, "nested too deeply"),
        ({"meters": np.array("{")}, "is not JSON"),
        ({"requests": np.array("[7, 7]")}, "request must be a text"),
        ({"requests": np.array("[]")}, "zip"),
        ({"meters": np.array("[]")}, "must be a dict"),
        ({"meters": np.array("{}")}, "classifier"),
        ({"meters": np.array(json.dumps(NAN))}, "fidelity must be a number"),
        ({"pixels0": None}, "pixels0"),
        ({"pixels0": np.zeros((1, 1, 4, 8, 8), np.uint8)}, "pixels must be uint8 of shape"),
        ({"pixels0": np.zeros((1, 1, 4, 8, 8, 1))}, "pixels must be uint8 of shape"),
        ({"pixels0": np.zeros((1, 1, 2, 8, 8, 1), np.uint8)}, "pixels must be uint8 of shape"),
    ],
)
def test_a_damaged_file_is_logged_in_one_line_and_left_out(
    changes: dict[str, Any], sentence: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(OLD, tmp_path)
    rewrite(tmp_path / OLD.name, version=np.array(2), meters=np.array(json.dumps(METERS)))
    assert len(load_strips(tmp_path, A.checkpoint)) == 2
    rewrite(tmp_path / OLD.name, **changes)
    assert load_strips(tmp_path, A.checkpoint) == []
    [record] = caplog.records
    assert sentence in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_file_that_would_unpack_to_too_many_bytes_is_not_unpacked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(OLD, tmp_path)
    monkeypatch.setattr(precomputed, "MOST_BYTES", 1000)
    assert load_strips(tmp_path, A.checkpoint) == []
    assert "bytes of its arrays must be a number from 0 to 1000, got" in caplog.text


@pytest.mark.parametrize("kind", ["folder", "dangling"])
def test_what_is_no_file_is_logged_and_left_out(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if kind == "folder":
        (tmp_path / "a.npz").mkdir()
    else:
        (tmp_path / "a.npz").symlink_to("absent")
    assert load_strips(tmp_path, A.checkpoint) == []
    assert "a.npz" in caplog.text


@pytest.mark.parametrize("version", [0, 3, 99, [1, 1], "one"])
def test_a_file_of_an_unknown_version_is_logged_and_left_out(
    tiny_checkpoint: Checkpoint, tmp_path: Path, version: Any, caplog: pytest.LogCaptureFixture
) -> None:
    save_strips(tmp_path / "newer.npz", [draw_frame(tiny_checkpoint.denoiser, A)])
    rewrite(tmp_path / "newer.npz", version=np.array(version))
    assert load_strips(tmp_path, A.checkpoint) == []
    assert "newer.npz" in caplog.text


def test_a_pickle_is_not_opened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.savez(tmp_path / "pickle.npz", requests=np.array([object()], dtype=object))
    assert load_strips(tmp_path, A.checkpoint) == []
    assert "pickle" in caplog.text


def test_the_shipped_strips_open_and_are_those_of_the_shipped_checkpoint() -> None:
    root = Path(__file__).parents[2]
    checkpoint = load_checkpoint(root / "checkpoints" / "fashion-mnist")
    frames = load_strips(root / "assets" / "strips", checkpoint.hash)
    requests, default = {frame.request for frame in frames}, GridRequest(checkpoint.hash, (0,))
    assert {request.classes for request in requests - {rail(checkpoint.hash, 10)}} == {(label,) for label in range(10)}
    assert requests > {*strip(default), rail(checkpoint.hash, 10)}
    one = next(frame for frame in frames if frame.request == replace(default, classes=(8,), w=(3.0,)))
    fresh = draw_frame(checkpoint.denoiser, one.request)
    off = np.abs(one.pixels.astype(int) - fresh.pixels.astype(int))
    assert off.max() <= 2, "another machine may round otherwise, but it is the same picture"


def test_a_bad_checkpoint_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--checkpoint", str(tmp_path), "--out", str(tmp_path / "x.npz")])
    assert exit.value.code == 2
    assert "has no config.json" in capsys.readouterr().err
