"""Strips that ship with the app: what was written is what comes back, and only beside its own weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cfg_core.checkpoints.format import Checkpoint, load_checkpoint
from cfg_core.commands.precompute import main
from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.precomputed import draw_frame, load_strips, save_strips

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
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_a_file_without_a_version_is_of_the_first(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_strips(tmp_path / "old.npz", [draw_frame(tiny_checkpoint.denoiser, A)])
    rewrite(tmp_path / "old.npz", version=None)
    assert [frame.request for frame in load_strips(tmp_path, A.checkpoint)] == [A]


@pytest.mark.parametrize("version", [0, 2, 99, [1, 1], "one"])
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
    assert {frame.request.classes for frame in frames} == {(label,) for label in range(10)}
    default = GridRequest(checkpoint.hash, (0,))
    assert {frame.request for frame in frames} >= set(strip(default))
    one = next(frame for frame in frames if frame.request == replace(default, classes=(8,), w=(3.0,)))
    fresh = draw_frame(checkpoint.denoiser, one.request)
    off = np.abs(one.pixels.astype(int) - fresh.pixels.astype(int))
    assert off.max() <= 2, "another machine may round otherwise, but it is the same picture"


def test_a_bad_checkpoint_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--checkpoint", str(tmp_path), "--out", str(tmp_path / "x.npz")])
    assert exit.value.code == 2
    assert "has no config.json" in capsys.readouterr().err
