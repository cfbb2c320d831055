"""Strips that ship with the app, marked as precomputed: the slider's first movement has images at once.

    python -m cfg_core precompute --checkpoint checkpoints/fashion-mnist \\
        --classifier checkpoints/fashion-mnist-classifier --out assets/strips/fashion-mnist.npz

They belong to the checkpoint of their hash, and are not offered with other weights.
"""

import io
import json
import logging
import zlib
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.evaluation.meters import Measure, Meter
from cfg_core.files import write_atomically
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame

log = logging.getLogger(__name__)


FORMAT_VERSION = 1
"""Of the files that are written; a file without a version is of version 1."""


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
    meters = json.dumps({"judge": classifier, "meters": [frame.meter and asdict(frame.meter) for frame in frames]})
    pictures = {f"pixels{i}": frame.pixels for i, frame in enumerate(frames) if frame.pixels is not None}
    header = {"version": np.array(FORMAT_VERSION), "requests": np.array(requests), "meters": np.array(meters)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **header, **pictures)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def load_strips(folder: Path, checkpoint: str, classifier: str = "") -> list[Frame]:
    """The grids of a checkpoint, by its hash, in all files of a folder; a file that cannot be read, or is of an unknown
    version, is logged and left out.

    Their meters come along where they were measured by this classifier, by its hash.
    """
    frames = [frame for path in sorted(folder.glob("*.npz")) for frame in _read(path, classifier)]
    return [frame for frame in frames if frame.request.checkpoint == checkpoint]


def _read(path: Path, classifier: str) -> list[Frame]:
    try:
        with np.load(path, allow_pickle=False) as file:
            if (version := int(file["version"]) if "version" in file else 1) != FORMAT_VERSION:
                raise ValueError(f"version must be {FORMAT_VERSION}, got {version}")
            requests = [GridRequest.from_json(text) for text in json.loads(str(file["requests"]))]
            measured = json.loads(str(file["meters"]))
            same = classifier == measured["judge"]
            meters = [Meter(**found) if found and same else None for found in measured["meters"]]
            pictures = [file[f"pixels{i}"] for i in range(len(requests))]
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error) as error:
        log.warning("unreadable path=%s error=%s", path, error)
        return []
    return [
        Frame(request, 0, request.evaluations, pixels, precomputed=True, meter=meter)
        for request, pixels, meter in zip(requests, pictures, meters, strict=True)
    ]
