"""Strips that ship with the app, so that the first touch finds pictures; the page says that they are precomputed.

    python -m cfg_core.precompute --checkpoint checkpoints/fashion-mnist \\
        --classifier checkpoints/fashion-mnist-classifier --out assets/strips/fashion-mnist.npz

They are tied to their checkpoint by its hash: beside other weights they are not shown.
"""

import argparse
import io
import json
import logging
import zlib
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from cfg_core import checkpoints
from cfg_core import judge as judges
from cfg_core.denoiser import Denoiser
from cfg_core.grid import draw_grid
from cfg_core.meters import Measure, Meter, measure_by
from cfg_core.request import GridRequest, strip
from cfg_core.work import Frame

log = logging.getLogger(__name__)


def draw(denoiser: Denoiser, request: GridRequest, measure: Measure | None = None) -> Frame:
    """The finished grid of a request, as it is shipped."""
    pixels = draw_grid(denoiser, request)
    meter = measure(request, pixels) if measure else None
    return Frame(request, 0, request.evaluations, pixels, precomputed=True, meter=meter)


def save(path: Path, frames: list[Frame], judge: str = "") -> None:
    """Write finished grids; the requests and their meters are JSON, the pictures uint8. judge: hash of who measured."""
    requests = json.dumps([frame.request.to_json() for frame in frames])
    meters = json.dumps({"judge": judge, "meters": [frame.meter and asdict(frame.meter) for frame in frames]})
    pictures = {f"pixels{i}": frame.pixels for i, frame in enumerate(frames) if frame.pixels is not None}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, requests=np.array(requests), meters=np.array(meters), **pictures)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.write_whole(path, buffer.getvalue())


def load(folder: Path, checkpoint: str, judge: str = "") -> list[Frame]:
    """The grids of a checkpoint, by its hash, in all files of a folder; what cannot be read is logged and left out.

    Their meters come along where they are those of this judge, by its hash.
    """
    frames = [frame for path in sorted(folder.glob("*.npz")) for frame in _read(path, judge)]
    return [frame for frame in frames if frame.request.checkpoint == checkpoint]


def _read(path: Path, judge: str) -> list[Frame]:
    try:
        with np.load(path, allow_pickle=False) as file:
            requests = [GridRequest.from_json(text) for text in json.loads(str(file["requests"]))]
            measured = json.loads(str(file["meters"]))
            known = judge == measured["judge"]
            meters = [Meter(**found) if found and known else None for found in measured["meters"]]
            pictures = [file[f"pixels{i}"] for i in range(len(requests))]
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error) as error:
        log.warning("unreadable path=%s error=%s", path, error)
        return []
    return [
        Frame(request, 0, request.evaluations, pixels, precomputed=True, meter=meter)
        for request, pixels, meter in zip(requests, pictures, meters, strict=True)
    ]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser("python -m cfg_core.precompute", description="Strips to ship with the app.")
    p.add_argument("--checkpoint", required=True, help="folder or Hub name of the model")
    p.add_argument("--classifier", help="folder or Hub name of the classifier that judges")
    p.add_argument("--seed", type=int, default=GridRequest.seed)
    p.add_argument("--out", type=Path, required=True, help="the .npz file to write; app.py reads assets/strips/*.npz")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw the strip of every class and write them; exits with 2 and one sentence on bad input."""
    from rich.progress import track

    p = parser()
    a = p.parse_args(arguments)
    try:
        checkpoint = checkpoints.load(a.checkpoint)
        denoiser, classes = checkpoint.denoiser, range(len(checkpoint.config.classes))
        grids = [GridRequest(checkpoint.hash, (label,), seed=a.seed) for label in classes]
        requests = [rung for grid in grids for rung in strip(grid)]
        judge = judges.load(a.classifier, checkpoint=checkpoint) if a.classifier else None
        measure = measure_by(judge) if judge else None
        frames = [draw(denoiser, request, measure) for request in track(requests, "drawing")]
        save(a.out, frames, judge.hash if judge else "")
    except (ValueError, OSError) as error:
        p.error(str(error))
    print(f"{len(frames)} grids of {a.checkpoint} ({checkpoint.hash}) in {a.out}, {a.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
