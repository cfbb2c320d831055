"""The models that the page offers by name: read about at the start, loaded when somebody first chooses them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cfg_core.checkpoints.catalog import ModelInfo
from cfg_core.checkpoints.classifiers import find_classifier, load_classifier
from cfg_core.checkpoints.diffusers_models import DiffusersConfig, load_pipeline
from cfg_core.checkpoints.format import LoadedModel, load_checkpoint
from cfg_core.checkpoints.guides import with_guide
from cfg_core.checks import shown
from cfg_core.evaluation.meters import measure_by
from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine, Model
from cfg_core.serving.precomputed import load_strips


def load_model(
    offered: ModelInfo,
    device: torch.device,
    strips: Path | None = None,
    classifier: str | None = None,
    guiding: str | None = None,
    lent: bool = False,
) -> Model:
    """The model, with the classifiers that judge and guide it and the strips that ship with it.

    strips: a folder of them. classifier, guiding: those, where they are not what lies beside the model. lent: whether
    models too large for this machine's CPU are drawn elsewhere. Raises ValueError in one sentence,
    CheckpointError among them.
    """
    if isinstance(offered.config, DiffusersConfig):
        return Model(load_pipeline(Path(offered.where), offered.config, offered.hash, device), elsewhere=lent)
    checkpoint = load_checkpoint(offered.where, device)
    if guide_at := guiding or find_classifier(offered.where, "guide", checkpoint.config):
        checkpoint = with_guide(checkpoint, guide_at)
    judge_at = classifier or find_classifier(offered.where, "classifier", checkpoint.config)
    judge = load_classifier(judge_at, device, checkpoint) if judge_at else None
    frames = load_strips(strips, checkpoint.hash, judge.hash if judge else "") if strips else []
    return Model(checkpoint, tuple(frames), measure_by(judge) if judge else None)


class ModelRegistry:
    """The models on offer, over an engine that has at least one of them. Safe to call from any thread."""

    def __init__(
        self, engine: Engine, offers: Sequence[ModelInfo] = (), load: Callable[[ModelInfo], Model] | None = None
    ) -> None:
        """offers: by default what the engine has. load: how the others come, once they are chosen."""
        self.engine = engine
        self._load = load
        self._lock = threading.Lock()
        own = [ModelInfo("model", "", c.hash, c.config) for c in engine.checkpoints.values()]
        self.offers = tuple(offers) or tuple(own)
        self._renewed: dict[str, str] = {}  # the hash that was offered → that of what had been saved since

    def find(self, text: object) -> ModelInfo:
        """The model of that name or hash. Raises ValueError."""
        sought = self._renewed.get(text, text) if isinstance(text, str) else text
        for offered in self.offers:
            if sought in (offered.hash, offered.name):
                return offered
        known = ", ".join(f"{offered.name} ({offered.hash})" for offered in self.offers)
        raise ValueError(f"model must be one of {known}, got {shown(text)}")

    def is_open(self, text: object) -> bool:
        """Whether the model of that name or hash is ready to draw. Raises ValueError."""
        return self.find(text).hash in self.engine.checkpoints

    def open(self, text: object) -> LoadedModel:
        """The model of that name or hash, ready to draw; the first to choose it waits while it is loaded, and nobody
        else. Raises ValueError, in one sentence."""
        if not self.is_open(text):
            with self._lock:
                offered = self.find(text)
                if not self.is_open(text) and self._load:
                    self._add(offered, self._load(offered))
        return self.engine.checkpoints[self.find(text).hash]

    def _add(self, offered: ModelInfo, model: Model) -> None:
        """A model as it was loaded, which may be newer than what was offered: its run goes on, or the Hub has more."""
        self.engine.add(model)
        new = replace(offered, hash=model.checkpoint.hash, config=model.checkpoint.config)
        self.offers = tuple(new if each is offered else each for each in self.offers)
        self._renewed[offered.hash] = new.hash

    def request(self, raw: Mapping[str, Any]) -> GridRequest:
        """A request as it arrives from outside, its ``model`` a name or a hash; one not chosen yet is loaded.

        Raises ValueError, in one sentence, for what is no request or beyond the engine's limits.
        """
        checkpoint = self.open(raw["model"]) if "model" in raw else self.engine.checkpoint
        fields = {**raw, "model": checkpoint.hash}
        classes = len(checkpoint.config.classes)
        return self.engine.check(GridRequest.parse(fields, checkpoint.hash, classes, checkpoint.guide))
