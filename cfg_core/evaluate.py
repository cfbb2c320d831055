"""What a checkpoint's samples are worth at each guidance strength: FID and mean p(correct class) over w.

    python -m cfg_core.evaluate --checkpoint checkpoints/fashion-mnist \\
        --classifier checkpoints/fashion-mnist-classifier --w 0 0.1 0.3 1 3 --out assets/curves/fashion-mnist.json

FID is measured against the whole training split, on the classifier's penultimate features. Its floor, the FID of
held-out real pictures, as many as there are samples, stands beside it.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cfg_core import classifier as clean
from cfg_core import data, hub, sampling
from cfg_core.checks import choice, number
from cfg_core.denoiser import Denoiser
from cfg_core.metrics import Array, Estimate, frechet_estimate
from cfg_core.noise import Noise, grid_noise
from cfg_core.samplers import SAMPLERS

MIN_SAMPLES = 1000
"""Below this a Fréchet distance is mostly its own bias, and is not called FID."""

ROWS = 96
"""Pictures that are drawn together, over all w; from 64 to 128 is fastest on a CPU."""


@dataclass(frozen=True)
class Options:
    """A sweep over w. Raises ValueError for a field out of range."""

    w: tuple[float, ...]
    samples: int = 10_000
    sampler: str = "dpmpp_2m"
    steps: int = 12
    seed: int = 0

    def __post_init__(self) -> None:
        for w in self.w:
            number("w", w, -1, 100)
        if number("samples", self.samples, 1, 10_000_000, whole=True) < MIN_SAMPLES:
            raise ValueError(f"samples must be at least {MIN_SAMPLES} for a figure called FID, got {self.samples}")
        choice("sampler", self.sampler, SAMPLERS)
        number("steps", self.steps, 1, 10_000, whole=True)
        number("seed", self.seed, 0, 2**32 - 1, whole=True)


@dataclass(frozen=True)
class Figure:
    """What was measured on one set of pictures. p_correct: mean of p(its own class | picture)."""

    fid: Estimate
    p_correct: float


def draw(denoiser: Denoiser, options: Options) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """The samples, block by block: which ones, their labels (B,) and the pictures (W, B, C, S, S) in [−1, 1].

    Sample i is of class i modulo the number of classes and has the same noise at every w. Pictures have 256 levels, as
    the real ones have.
    """
    count = len(options.w)
    for first in range(0, options.samples, max(1, ROWS // count)):
        block = range(first, min(first + max(1, ROWS // count), options.samples))
        labels = torch.tensor(block) % len(denoiser.classes)
        noise = grid_noise(options.seed, block, denoiser.shape, denoiser.device)
        job = sampling.begin(
            denoiser,
            _repeated(noise, count),
            labels.repeat(count),
            torch.tensor(options.w, dtype=torch.float32).repeat_interleave(len(block)),
            sampler=options.sampler,
            steps=options.steps,
        )
        pictures = data.to_unit(data.to_bytes(sampling.sample(denoiser, job)))
        yield slice(block.start, block.stop), labels, pictures.unflatten(0, (count, len(block)))


def _repeated(noise: Noise, times: int) -> Noise:
    return lambda step: noise(step).repeat(times, 1, 1, 1)


def figure(reference: Array, features: Tensor, p_correct: Tensor) -> Figure:
    """Features (N, D) against the reference's (M, D), with p(own class | picture) (N,)."""
    return Figure(frechet_estimate(reference, features.numpy()), float(p_correct.double().mean()))


def judge_real(judge: clean.Classifier, dataset: data.DataSet, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Features (N, D) and p(own class | picture) (N,) of these pictures of a data set, at bounded memory."""
    blocks = torch.as_tensor(rows).split(clean.BLOCK)
    features = torch.cat([judge.features(data.to_unit(dataset.images[block])) for block in blocks])
    return features, _own(judge.probabilities_of(features), dataset.labels[torch.as_tensor(rows)])


def _own(probabilities: Tensor, labels: Tensor) -> Tensor:
    return probabilities.gather(1, labels[:, None]).squeeze(1)


def measure(
    denoiser: Denoiser,
    judge: clean.Classifier,
    training: data.DataSet,
    test: data.DataSet,
    options: Options,
    report: Callable[[int], None] = lambda done: None,
) -> tuple[Figure, list[Figure]]:
    """The floor, and a figure for each w; ``report`` hears, block by block, how many samples are done.

    Floor: as many test pictures as there are samples, or all where there are fewer, picked by the seed.
    """
    features = torch.empty(len(options.w), options.samples, judge.config.architecture.features)
    p_correct = torch.empty(len(options.w), options.samples)
    for done, labels, pictures in draw(denoiser, options):
        for row, pictures_of_w in enumerate(pictures):
            features[row, done] = judge.features(pictures_of_w)
            p_correct[row, done] = _own(judge.probabilities_of(features[row, done]), labels)
        report(done.stop)
    reference = judge_real(judge, training, range(len(training.labels)))[0].numpy().astype(np.float64)
    held_out = np.random.default_rng(options.seed).permutation(len(test.labels))[: options.samples]
    floor = figure(reference, *judge_real(judge, test, held_out.tolist()))
    return floor, [figure(reference, *measured) for measured in zip(features, p_correct, strict=True)]


def check_match(checkpoint: hub.Checkpoint, judge: clean.Classifier) -> None:
    """Raises ValueError unless the classifier names the checkpoint's classes and takes its pictures."""
    a, denoiser = judge.config.architecture, checkpoint.denoiser
    theirs, ours = ((a.channels, a.size, a.size), judge.config.classes), (denoiser.shape, denoiser.classes)
    if theirs != ours:
        raise ValueError(
            f"classifier must be of the checkpoint's pictures {ours[0]} and classes ({', '.join(ours[1])}), "
            f"got {theirs[0]} and ({', '.join(theirs[1])})"
        )


def record(floor: Figure, figures: Sequence[Figure], options: Options, **provenance: Any) -> dict[str, Any]:
    """The JSON of a sweep: where it comes from, the floor, and one entry a w."""

    def flat(found: Figure) -> dict[str, float]:
        return {
            "fid": found.fid.value,
            "fid_low": found.fid.low,
            "fid_high": found.fid.high,
            "p_correct": found.p_correct,
        }

    return {
        **provenance,
        "torch": torch.__version__,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **{name: value for name, value in asdict(options).items() if name != "w"},
        "interval": "95 % percentile bootstrap over the samples, the reference held fixed",
        "floor": flat(floor),
        "results": [{"w": w, **flat(found)} for w, found in zip(options.w, figures, strict=True)],
    }


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser("python -m cfg_core.evaluate", description="FID and p(correct class) over w.")
    p.add_argument("--checkpoint", required=True, help="folder or Hub name of the model")
    p.add_argument("--classifier", required=True, help="folder or Hub name of the classifier whose features serve FID")
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--w", type=float, nargs="+", default=[0, 0.1, 0.3, 1, 3], help="guidance strengths")
    p.add_argument("--samples", type=int, default=Options.samples, help=f"at least {MIN_SAMPLES}, for each w")
    p.add_argument("--sampler", default=Options.sampler, help=f"one of {', '.join(SAMPLERS)}")
    p.add_argument("--steps", type=int, default=Options.steps)
    p.add_argument("--seed", type=int, default=Options.seed)
    p.add_argument("--out", type=Path, required=True, help="JSON file to write")
    p.add_argument("--note", default="", help="a remark that the file carries")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw, measure, print a table and write the JSON; exits with 2 and one sentence on bad input."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core.evaluate " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        options = Options(tuple(a.w), a.samples, a.sampler, a.steps, a.seed)
        checkpoint, judge = hub.load(a.checkpoint, device), clean.load(a.classifier, device)
        check_match(checkpoint, judge)
        training, test = (data.load(checkpoint.config.data, split, a.data_root) for split in data.SPLITS)
        a.out.parent.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        p.error(str(error))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        task = progress.add_task(f"samples at {len(options.w)} w", total=options.samples)
        floor, figures = measure(
            checkpoint.denoiser, judge, training, test, options, lambda done: progress.update(task, completed=done)
        )
    model, extractor = checkpoint.config, judge.config
    found = record(
        floor,
        figures,
        options,
        checkpoint={"name": a.checkpoint, "hash": checkpoint.hash, "images_seen": model.images_seen},
        classifier={"name": a.classifier, "hash": judge.hash, "test_accuracy": extractor.test_accuracy},
        features=f"{extractor.architecture.features} penultimate features of the classifier",
        data=model.data,
        reference={"split": "train", "pictures": len(training.labels)},
        held_out={"split": "test", "pictures": min(options.samples, len(test.labels))},
        command=command,
        note=a.note,
    )
    hub.write_whole(a.out, (json.dumps(found, indent=2) + "\n").encode())
    show(found)


def show(found: dict[str, Any]) -> None:
    """The JSON of a sweep as a table in the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{found['checkpoint']['name']}, {found['samples']:,} samples, {found['steps']} steps")
    for heading in ("w", "FID", "95 % interval", "p(correct class)"):
        table.add_column(heading, justify="right")
    for row in (*found["results"], {"w": f"real ({found['held_out']['pictures']:,})", **found["floor"]}):
        interval = f"{row['fid_low']:.3f} to {row['fid_high']:.3f}"
        table.add_row(str(row["w"]), f"{row['fid']:.3f}", interval, f"{row['p_correct']:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
