"""The page over a tiny model, called over HTTP; and a watch for tracebacks."""

import logging
import traceback
from collections.abc import Iterator

import pytest
from gradio_client import Client

from cfg_core.checkpoints.format import Checkpoint
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from tests.conftest import served
from tests.ui.http_calls import Call, page_call


@pytest.fixture
def no_traceback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """During the test no traceback is printed or logged."""
    found: list[str] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                found.append(record.getMessage())

    monkeypatch.setattr(traceback, "print_exc", lambda *_, **__: found.append(traceback.format_exc()))
    watch, loggers = Watch(), [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error")]
    for logger in loggers:
        logger.addHandler(watch)
    yield
    for logger in loggers:
        logger.removeHandler(watch)
    assert not found


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(Model(tiny_checkpoint))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def call(engine: Engine) -> Iterator[Call]:
    """(function, its argument) → HTTP status and what came back."""
    with served(engine) as (address, page):
        yield page_call(address, page)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[Client]:
    with served(engine) as (address, _):
        yield Client(address, verbose=False)
