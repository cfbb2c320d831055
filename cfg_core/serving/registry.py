"""Models by name: described at the start, loaded when first chosen."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cfg_core.checkpoints.catalog import ModelInfo
from cfg_core.checkpoints.classifiers import find_classifier, load_classifier
from cfg_core.checkpoints.diffusers_models import DiffusersConfig, load_pipeline
from cfg_core.checkpoints.format import LoadedModel, load_checkpoint
from cfg_core.checkpoints.guides import with_guide
from cfg_core.checkpoints.model_folder import REAL, model_folder
from cfg_core.checkpoints.weaker_siblings import find_weaker, with_weaker
from cfg_core.checks import shown
from cfg_core.data.class_sheet import ClassSheet, read_class_sheet
from cfg_core.evaluation.meters import measure_by
from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.precomputed import load_strips

log = logging.getLogger(__name__)


def load_model(
    info: ModelInfo,
    device: torch.device,
    strips: Path | None = None,
    classifier: str | None = None,
    guide: str | None = None,
    weaker: str | None = None,
    remote: bool = False,
) -> Model:
    """The model, with the classifiers that measure and guide it, its weaker sibling and the strips that ship with it.

    strips: a folder of them. classifier, guide, weaker: other ones than those beside the model. remote: whether a
    remote GPU draws the models that are too large for this machine's CPU. Raises ValueError in one sentence,
    CheckpointError among them.
    """
    if isinstance(info.config, DiffusersConfig):
        return Model(load_pipeline(Path(info.where), info.config, info.hash, device), remote=remote)
    checkpoint = load_checkpoint(info.where, device)
    if guide_at := guide or find_classifier(info.where, "guide", checkpoint.config):
        checkpoint = with_guide(checkpoint, guide_at)
    if weaker_at := weaker or find_weaker(info.where):
        checkpoint = with_weaker(checkpoint, weaker_at)
    classifier_at = classifier or find_classifier(info.where, "classifier", checkpoint.config)
    clean = load_classifier(classifier_at, device, checkpoint) if classifier_at else None
    frames = load_strips(strips, checkpoint.hash, clean.hash if clean else "") if strips else []
    return Model(checkpoint, tuple(frames), measure_by(clean) if clean else None, _real_pictures(info, checkpoint))


def _real_pictures(info: ModelInfo, checkpoint: LoadedModel) -> ClassSheet | None:
    """The sheet that ships with a model; none, and a line in the log, where it cannot be used."""
    path = model_folder(info.where) / REAL
    if not path.exists():
        return None
    try:
        return read_class_sheet(path, checkpoint.config.classes, checkpoint.denoiser.picture_shape)
    except (ValueError, OSError) as error:
        log.warning("no real pictures model=%s error=%s", info.name, error)
        return None


class ModelRegistry:
    """The available models, over an engine that has at least one of them. Safe to call from any thread.

    available: what is known of each, in the order in which a page lists them.
    """

    def __init__(
        self, engine: Engine, available: Sequence[ModelInfo] = (), load: Callable[[ModelInfo], Model] | None = None
    ) -> None:
        """available: by default what the engine has. load: how the others are loaded, once they are chosen."""
        self.engine = engine
        own = [ModelInfo("model", "", c.hash, c.config) for c in engine.checkpoints.values()]
        self.available = tuple(available) or tuple(own)
        self._load = load
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, "loader")
        self._loading: dict[str, Future[None]] = {}  # by the hash in its description
        self._renewed: dict[str, str] = {}  # hash in a description → hash of the model that was loaded for it

    def find(self, text: object) -> ModelInfo:
        """The model of that name or hash. Raises ValueError."""
        sought = self._renewed.get(text, text) if isinstance(text, str) else text
        for info in self.available:
            if sought in (info.hash, info.name):
                return info
        known = ", ".join(f"{info.name} ({info.hash})" for info in self.available)
        raise ValueError(f"model must be one of {known}, got {shown(text)}")

    def is_open(self, text: object) -> bool:
        """Whether the model of that name or hash is ready to draw. Raises ValueError."""
        return self.find(text).hash in self.engine.checkpoints

    def open(self, text: object) -> LoadedModel:
        """The model of that name or hash, ready to draw; blocks while it is loaded, if it is not yet.

        Others go on meanwhile. Raises ValueError, in one sentence.
        """
        if not self.is_open(text):
            self._begin_loading(text).result()
        return self.engine.checkpoints[self.find(text).hash]

    async def open_async(self, text: object) -> LoadedModel:
        """The same for a coroutine: one thread loads, and waiting holds no thread."""
        if not self.is_open(text):
            await asyncio.shield(asyncio.wrap_future(self._begin_loading(text)))
        return self.engine.checkpoints[self.find(text).hash]

    def request(self, raw: Mapping[str, Any]) -> GridRequest:
        """A request from a URL or the API, its ``model`` a name or a hash; a model that is not loaded yet is loaded.
        A ``class`` that is absent is the one that the model opens on.

        Raises ValueError, in one sentence, for what is no request or beyond the engine's limits.
        """
        checkpoint = self.open(raw["model"]) if "model" in raw else self.engine.checkpoint
        fields = {"class": checkpoint.config.opening_label, **raw, "model": checkpoint.hash}
        classes = len(checkpoint.config.classes)
        beside = checkpoint.guide, checkpoint.weaker
        return self.engine.check(GridRequest.parse(fields, checkpoint.hash, classes, *beside))

    def _begin_loading(self, text: object) -> Future[None]:
        """The loading of a model, begun unless it is under way."""
        with self._lock:
            info = self.find(text)
            if info.hash not in self._loading:
                self._loading[info.hash] = self._loader.submit(self._add, info)
            return self._loading[info.hash]

    def _add(self, info: ModelInfo) -> None:
        """Load a model, which may be newer than its description: its training goes on, or the Hub has more."""
        try:
            if self._load and info.hash not in self.engine.checkpoints:
                model = self._load(info)
                new = replace(info, hash=model.checkpoint.hash, config=model.checkpoint.config)
                self.engine.add(model)
                with self._lock:
                    self.available = tuple(new if each is info else each for each in self.available)
                    self._renewed[info.hash] = new.hash
        finally:
            with self._lock:
                del self._loading[info.hash]
