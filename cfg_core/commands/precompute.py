"""Draw the strips that ship with the app: every class over the ladder of w, with its meters.

python -m cfg_core precompute --checkpoint checkpoints/fashion-mnist \\
    --classifier checkpoints/fashion-mnist-classifier --out assets/strips/fashion-mnist.npz
"""

import argparse
from pathlib import Path

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.commands.common import command_parser
from cfg_core.devices import set_cpu_threads
from cfg_core.evaluation.meters import measure_by
from cfg_core.files import check_writable
from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving.precomputed import draw_frame, save_strips


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("precompute", "Draw the strips that ship with the app.")
    models = p.add_argument_group("models")
    models.add_argument("--checkpoint", required=True, help="folder or Hub name of the model")
    models.add_argument("--classifier", help="folder or Hub name of the classifier that the meters come from")
    strips = p.add_argument_group("strips")
    strips.add_argument("--seed", type=int, default=GridRequest.seed, help="of the noise")
    strips.add_argument(
        "--out", type=Path, required=True, help="the .npz file to write; app.py reads assets/strips/*.npz"
    )
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw the strip of every class and write them; exits with 2 and one sentence on bad input."""
    from rich.progress import track

    p = parser()
    a = p.parse_args(arguments)
    set_cpu_threads()
    try:
        checkpoint = load_checkpoint(a.checkpoint)
        denoiser, classes = checkpoint.denoiser, range(len(checkpoint.config.classes))
        grids = [GridRequest(checkpoint.hash, (label,), seed=a.seed) for label in classes]
        requests = [rung for grid in grids for rung in strip(grid)]
        classifier = load_classifier(a.classifier, checkpoint=checkpoint) if a.classifier else None
        measure = measure_by(classifier) if classifier else None
        check_writable("out", a.out)
        frames = [draw_frame(denoiser, request, measure) for request in track(requests, "drawing")]
        save_strips(a.out, frames, classifier.hash if classifier else "")
    except (ValueError, OSError) as error:
        p.error(str(error))
    print(f"{len(frames)} grids of {a.checkpoint} ({checkpoint.hash}) in {a.out}, {a.out.stat().st_size:,} bytes")
