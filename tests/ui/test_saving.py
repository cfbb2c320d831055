"""The server function that makes files: what cannot be made is one sentence."""

import asyncio
from typing import Any

import pytest

from cfg_core.serving.engine import Engine
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.requests import PageRequests
from cfg_core.ui.saving import Saving
from cfg_core.ui.turns import Turns

FOUR = {"samples": 4, "steps": 2}


@pytest.fixture
def saving(engine: Engine) -> Saving:
    models = ModelRegistry(engine)
    return Saving(models, PageRequests(models))


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (None, "what is saved must be an object"),
        ({}, "kind must be one of grid, both"),
        ({"kind": {}}, "kind must be one of grid, both"),
        ({"kind": "mp4"}, "got 'mp4'"),
        ({"kind": "picture", "request": FOUR, "sample": 4}, "sample must be a whole number from 0 to 3, got 4"),
        ({"kind": "picture", "request": FOUR, "sample": "x"}, "sample must be a whole number"),
        ({"kind": "grid", "request": {"steps": 0}}, "steps must be a whole number from 1"),
        ({"kind": "sweep-gif", "request": {"class": "all", "samples": 16}}, "pictures of a film over w must be"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_one_sentence(saving: Saving, payload: Any, sentence: str) -> None:
    reply = asyncio.run(saving.save(payload))
    assert not reply["ok"]
    assert sentence in reply["error"]


def test_files_are_made_in_turn_and_too_many_are_refused(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "_turns", Turns(1, 2, 2))

    async def scenario() -> list[dict[str, Any]]:
        payload = {"kind": "denoising-webp", "request": FOUR}
        return await asyncio.gather(*(saving.save(payload, "a") for _ in range(5)))

    replies = asyncio.run(scenario())
    assert [reply["ok"] for reply in replies] == [True, True, True, False, False]
    assert replies[-1]["error"] == "2 files wait to be made. Please try again in a moment."
