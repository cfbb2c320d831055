"""Damaged configs and weights: whatever is in them, a model is read or refused in one line."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.checkpoints.model_folder import CONFIG, WEIGHTS, CheckpointError
from tests.checkpoints.test_weights import save_classifier, save_model
from tests.random_json import QUICK, damaged, read_or_refused

SAVED = {"model": (save_model, load_checkpoint), "classifier": (save_classifier, load_classifier)}


@pytest.fixture(scope="module", params=list(SAVED))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def saved(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(kind)
    SAVED[kind][0](folder)
    return folder


def opened_or_refused(kind: str, folder: Path) -> None:
    if model := read_or_refused(lambda: SAVED[kind][1](folder)):
        model.config.to_json().encode()


@QUICK
@given(st.data())
def test_a_damaged_config_is_read_or_refused(kind: str, saved: Path, data: st.DataObject) -> None:
    whole = (saved / CONFIG).read_bytes()
    try:
        (saved / CONFIG).write_text(json.dumps(data.draw(damaged(json.loads(whole)))), encoding="utf-8")
        opened_or_refused(kind, saved)
    finally:
        (saved / CONFIG).write_bytes(whole)


@settings(QUICK, max_examples=75)
@given(st.data())
def test_a_damaged_header_is_read_or_refused(kind: str, saved: Path, data: st.DataObject) -> None:
    whole = (saved / WEIGHTS).read_bytes()
    size = struct.unpack("<Q", whole[:8])[0]
    header = json.dumps(data.draw(damaged(json.loads(whole[8 : 8 + size])))).encode()
    length = data.draw(st.integers(0, 2**64 - 1)) if data.draw(st.integers(0, 9)) == 0 else len(header)
    rest = data.draw(st.binary(max_size=100)) if data.draw(st.booleans()) else whole[8 + size :]
    try:
        (saved / WEIGHTS).write_bytes(struct.pack("<Q", length) + header + rest)
        opened_or_refused(kind, saved)
    finally:
        (saved / WEIGHTS).write_bytes(whole)


@QUICK
@given(st.binary(max_size=200))
def test_bytes_are_no_model(kind: str, saved: Path, content: bytes) -> None:
    for name in (CONFIG, WEIGHTS):
        whole = (saved / name).read_bytes()
        try:
            (saved / name).write_bytes(content)
            with pytest.raises(CheckpointError):
                SAVED[kind][1](saved)
        finally:
            (saved / name).write_bytes(whole)


@QUICK
@given(st.data())
def test_a_damaged_pipeline_is_described_or_refused(pipeline: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"]))
    whole = (pipeline / name).read_bytes()
    try:
        (pipeline / name).write_text(json.dumps(data.draw(damaged(json.loads(whole)))), encoding="utf-8")
        if described := read_or_refused(lambda: describe_model(pipeline)):
            " ".join(described.config.classes).encode()
    finally:
        (pipeline / name).write_bytes(whole)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("diffusers", reason="diffusers is not installed")
    from tests.checkpoints.tiny_pipelines import save_unet

    return save_unet(tmp_path_factory.mktemp("pipeline"))
