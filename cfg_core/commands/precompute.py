"""Draw the strips that ship with the app, every class over the ladder of w, with its meters, and the class rail.

python -m cfg_core precompute --checkpoint checkpoints/fashion-mnist \\
    --classifier checkpoints/fashion-mnist-classifier --out assets/strips/fashion-mnist.npz
"""

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from rich.progress import Progress

from cfg_core.checkpoints.classifiers import Classifier, load_classifier
from cfg_core.checkpoints.format import Checkpoint, load_checkpoint
from cfg_core.commands.common import command_parser, progress_bar
from cfg_core.devices import set_cpu_threads
from cfg_core.evaluation.meters import measure_by
from cfg_core.files import check_writable
from cfg_core.grids.ladder import rail, strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame
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
    """Draw the strip of every class and the rail, and write them; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    set_cpu_threads()
    try:
        checkpoint = load_checkpoint(a.checkpoint)
        classes = range(len(checkpoint.config.classes))
        grids = [GridRequest(checkpoint.hash, (label,), seed=a.seed) for label in classes]
        requests = [rung for grid in grids for rung in strip(grid)]
        classifier = load_classifier(a.classifier, checkpoint=checkpoint) if a.classifier else None
        check_writable("out", a.out)
        with progress_bar() as progress:
            draw(a.out, checkpoint, classifier, [*requests, rail(checkpoint.hash, len(classes))], progress)
    except (ValueError, OSError) as error:
        p.error(str(error))
    print(f"{len(requests) + 1} grids of {a.checkpoint} ({checkpoint.hash}) in {a.out}, {a.out.stat().st_size:,} bytes")


def draw(
    out: Path,
    checkpoint: Checkpoint,
    classifier: Classifier | None,
    requests: Collection[GridRequest],
    progress: Progress,
    drawn: Mapping[GridRequest, Frame] = MappingProxyType({}),
) -> None:
    """Draw these requests of a model, with their meters, but those that are drawn, and write all. Raises OSError."""
    measure = measure_by(classifier) if classifier else None
    frames = dict(drawn)
    missing = [request for request in requests if request not in drawn]
    for request in progress.track(missing, description=f"{out.stem}: strips and rail"):
        frames[request] = draw_frame(checkpoint.denoiser, request, measure)
    save_strips(out, [frames[request] for request in requests], classifier.hash if classifier else "")
