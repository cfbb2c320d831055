"""One small sweep of an untrained model of the synthetic pictures, which many tests read."""

import json
from pathlib import Path

import pytest

from cfg_core.commands import evaluate
from tests.evaluation.small_sweeps import command
from tests.small_models import save_classifier, save_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="session")
def out(model: Path, classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "deep" / "sweep.json"
    evaluate.main([*command(model, classifier, out), "--note", "a test"])
    return out


@pytest.fixture(scope="session")
def swept(out: Path) -> dict:
    return json.loads(out.read_text(encoding="utf-8"))
