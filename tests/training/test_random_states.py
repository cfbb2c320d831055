"""Damaged states of runs: whatever is in them, a run goes on or is refused in one sentence."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfg_core.training.state import STATE
from tests.random_json import QUICK, damaged, read_or_refused
from tests.training.small_runs import advance, trainer


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    advance(trainer(), 1).save(folder, "")
    return folder


@settings(QUICK, max_examples=60)
@given(st.data())
def test_a_damaged_state_is_resumed_or_refused(saved: Path, data: st.DataObject) -> None:
    whole = (saved / STATE).read_bytes()
    size = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + size])
    if data.draw(st.booleans()):
        header["__metadata__"]["options"] = json.dumps(
            data.draw(damaged(json.loads(header["__metadata__"]["options"])))
        )
    else:
        header = data.draw(damaged(header))
    content = json.dumps(header).encode()
    try:
        (saved / STATE).write_bytes(struct.pack("<Q", len(content)) + content + whole[8 + size :])
        run = trainer()
        if read_or_refused(lambda: run.resume(saved)) and run.step < run.options.steps:
            advance(run, 1)
    finally:
        (saved / STATE).write_bytes(whole)
