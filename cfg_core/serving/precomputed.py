"""Strips that ship with the app, marked as precomputed: the slider's first movement has images at once.

    python -m cfg_core precompute --checkpoint checkpoints/fashion-mnist \\
        --classifier checkpoints/fashion-mnist-classifier --out assets/strips/fashion-mnist.npz

They belong to the checkpoint of their hash, and are not offered with other weights.
"""

import io
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from cfg_core.checks import number, one_line, parse_json, shown, text
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.evaluation.meters import Measure, Meter
from cfg_core.files import check_regular, write_atomically
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame

log = logging.getLogger(__name__)


FORMAT_VERSION = 2
"""Of the files that are written; a file without a version is of version 1, which calls the classifier ``judge``."""


MOST_BYTES = 2**28
"""Of the arrays of a file, unpacked."""


def draw_frame(denoiser: Denoiser, request: GridRequest, measure: Measure | None = None) -> Frame:
    """The finished grid of a request, as it is shipped."""
    pixels = draw_grid(denoiser, request)
    meter = measure(request, pixels) if measure else None
    return Frame(request, 0, request.evaluations, pixels, precomputed=True, meter=meter)


def save_strips(path: Path, frames: list[Frame], classifier: str = "") -> None:
    """Write finished grids as .npz; the requests and their meters are JSON, the pictures uint8.

    classifier: hash of the one that measured. Raises OSError.
    """
    requests = json.dumps([frame.request.to_json() for frame in frames])
    meters = json.dumps({"classifier": classifier, "meters": [frame.meter and asdict(frame.meter) for frame in frames]})
    pictures = {f"pixels{i}": frame.pixels for i, frame in enumerate(frames) if frame.pixels is not None}
    header = {"version": np.array(FORMAT_VERSION), "requests": np.array(requests), "meters": np.array(meters)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **header, **pictures)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def requests_of(path: Path) -> list[GridRequest]:
    """The requests whose grids a file holds, whatever the model; none where it cannot be read."""
    return [frame.request for frame in _read(path, "")] if path.exists() else []


def load_strips(folder: Path, checkpoint: str, classifier: str = "") -> list[Frame]:
    """The grids of a checkpoint, by its hash, in all files of a folder; a file that cannot be read, or is of an unknown
    version, is logged and left out.

    Their meters come along where they were measured by this classifier, by its hash.
    """
    frames = [frame for path in sorted(folder.glob("*.npz")) for frame in _read(path, classifier)]
    return [frame for frame in frames if frame.request.checkpoint == checkpoint]


def _read(path: Path, classifier: str) -> list[Frame]:
    try:
        check_regular(path)
        with ZipFile(path) as packed:
            number("bytes of its arrays", sum(part.file_size for part in packed.infolist()), 0, MOST_BYTES)
        with np.load(path, allow_pickle=False) as file:
            version = file["version"].item() if "version" in file else 1
            number("version", version, 1, FORMAT_VERSION, whole=True)
            requests = [GridRequest.from_json(text("request", each)) for each in _values(file["requests"], list)]
            measured = _values(file["meters"], dict)
            same = classifier == measured["classifier" if version > 1 else "judge"]
            meters = [Meter(**found) if found and same else None for found in measured["meters"]]
            pictures = [_pictures(request, file[f"pixels{i}"]) for i, request in enumerate(requests)]
        return [
            Frame(request, 0, request.evaluations, pixels, precomputed=True, meter=meter)
            for request, pixels, meter in zip(requests, pictures, meters, strict=True)
        ]
    except Exception as error:  # of the many that numpy and zipfile raise none may keep the app from its start
        log.warning("unreadable path=%s error=%s", one_line(path), one_line(error))
        return []


def _values(array: np.ndarray, kind: type) -> Any:
    found = parse_json("its header", str(array))
    if not isinstance(found, kind):
        raise ValueError(f"its header must be a {kind.__name__}, got {shown(found)}")
    return found


def _pictures(request: GridRequest, pixels: np.ndarray) -> np.ndarray:
    layout = len(request.w), len(request.classes), request.samples
    if pixels.dtype != np.uint8 or pixels.ndim != 6 or pixels.shape[:3] != layout:
        raise ValueError(f"pixels must be uint8 of shape {layout} × (S, S, C), got {pixels.dtype} of {pixels.shape}")
    return pixels
