"""Engines over a denoiser that the test holds at every evaluation."""

from collections.abc import Iterator

import pytest

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.serving.engine import Engine
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from tests.serving.helpers import Gate


@pytest.fixture
def engine(tiny_engine: Engine) -> Engine:
    return tiny_engine


@pytest.fixture
def gate(tiny_checkpoint: Checkpoint) -> Gate:
    return Gate(tiny_checkpoint.denoiser)


@pytest.fixture
def gated(gate: Gate) -> Iterator[Engine]:
    engine = Engine(Model(gate.checkpoint))
    yield engine
    gate.release()
    engine.close()


@pytest.fixture
def crowded(tiny_checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(Model(tiny_checkpoint), Limits(sessions=2, queue=2, pictures=40, steps=20, work=500))
    yield engine
    engine.close()
