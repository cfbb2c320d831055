"""What a call of the endpoint grid is answered: pictures as numbers or as PNG, with what was measured of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet, save_sheet
from cfg_core.serving.grid_job import Frame
from cfg_core.ui.component import encoded

FORMATS = ("pixels", "png")
"""How the pictures of a reply may be encoded."""

MAX_W_WITH_STEPS = 16
"""Values of w of a call with intermediate pictures, of which each has up to 1 MiB of them."""


@dataclass(frozen=True)
class Reply:
    """request: of all w. classes: the names of all of the model's. frames: of each w the frames of its denoising, the
    finished one last. seconds: that drawing took."""

    request: GridRequest
    classes: Sequence[str]
    frames: Sequence[Sequence[Frame]]
    seconds: float

    def to_json(self, format: str, intermediate: bool) -> dict[str, Any]:
        """format: one of FORMATS. intermediate: whether the pictures after each evaluation are in it."""
        request, finished = self.request, [each[-1] for each in self.frames]
        reply = {
            "request": request.to_query(len(self.classes)),
            "classes": [self.classes[label] for label in request.classes],
            "shape": list(_joined(finished).shape),
            "meters": [_meters(frame) for frame in finished],
            "seconds": self.seconds,
            **self._encoded(finished, format, request),
        }
        if intermediate:
            reply["steps"] = [
                {"evaluations": step[0].evaluations, **self._encoded(step, format)}
                for step in zip(*self.frames, strict=True)
            ]
        return reply

    def _encoded(self, frames: Sequence[Frame], format: str, *inside: GridRequest) -> dict[str, str]:
        """inside: the request that a PNG carries."""
        pictures = _joined(frames)
        if format == "pixels":
            return {format: encoded(pictures.tobytes())}
        file = BytesIO()
        save_sheet(draw_sheet(self.request, pictures, self.classes), file, *inside)
        return {format: encoded(file.getvalue())}


def _joined(frames: Sequence[Frame]) -> np.ndarray:
    """Pictures of all w (w, class, sample, S, S, C) uint8."""
    return np.concatenate([frame.pixels for frame in frames if frame.pixels is not None])


def _meters(frame: Frame) -> dict[str, float] | None:
    """Of one w: the mean probability of the class, and how many of the pictures differ; None without a classifier."""
    if frame.meter is None:
        return None
    return {"w": frame.request.w[0], "probability": frame.meter.fidelity, "diversity": frame.meter.diversity}
