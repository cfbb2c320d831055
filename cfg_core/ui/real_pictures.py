"""Real pictures of a class, from the data that a model was trained on."""

from collections.abc import Mapping
from typing import Any

from cfg_core.checks import number
from cfg_core.serving.engine import Engine
from cfg_core.ui.component import encoded


def real_pictures_of(engine: Engine, payload: Any) -> dict[str, Any]:
    """{model: hash, class: label, or "all"} → how many there are of each class, and their pixels (class, sample, S, S,
    C) in base64; or a sentence in ``error``."""
    asked = payload if isinstance(payload, Mapping) else {}
    digest, label = asked.get("model"), asked.get("class")
    sheet = engine.model(digest).real if isinstance(digest, str) and digest in engine.checkpoints else None
    if sheet is None:
        return {"ok": False, "error": "model must be the hash of a model with real pictures"}
    pictures = sheet.pictures
    if label != "all":
        try:
            pictures = pictures[[number("class", label, 0, len(pictures) - 1, whole=True)]]
        except ValueError as error:
            return {"ok": False, "error": str(error)}
    return {"ok": True, "samples": pictures.shape[1], "pixels": encoded(pictures.tobytes())}
