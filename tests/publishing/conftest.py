"""A Hub on this machine, and the folder of a small model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cfg_core.checkpoints.format import save_checkpoint
from cfg_core.checkpoints.model_card import model_card
from tests.conftest import small_network
from tests.fake_hub import FakeHub, serving
from tests.publishing.repository import MODEL_CONFIG


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with serving(monkeypatch, tmp_path / "cache") as hub:
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    network = small_network(num_classes=2)
    save_checkpoint(tmp_path / "mine", MODEL_CONFIG, network.state_dict(), model_card(MODEL_CONFIG))
    return tmp_path / "mine"
