"""What a checkpoint's samples are worth at each guidance strength: every metric of cfg_core.evaluation.metrics over w.

    python -m cfg_core evaluate --checkpoint checkpoints/fashion-mnist \\
        --classifier checkpoints/fashion-mnist-classifier --w 0 0.1 0.3 1 3 --out assets/curves/fashion-mnist.json
    python -m cfg_core evaluate … --rule classifier --guide checkpoints/fashion-mnist-guide --out …

Features and class probabilities are the clean-image classifier's. FID is measured against the whole training split,
precision and recall against as many of its pictures as there are samples. The floor, the same figures of held-out real
pictures, stands beside them. Beside the JSON lies a CSV of the same figures.

What is drawn is kept in ``OUT.drawn/`` until the sweep is finished: the same command resumes it. ``torchrun
--nproc_per_node 2 -m -- cfg_core evaluate …`` divides it between processes, or GPUs.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from cfg_core.checkpoints.classifiers import BLOCK, Classifier
from cfg_core.checks import choice, number
from cfg_core.data.datasets import DataSet
from cfg_core.data.pixels import to_bytes, to_unit
from cfg_core.devices import PRECISIONS
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.noise import Noise, grid_noise
from cfg_core.evaluation.metrics import METRICS, Estimate, Judged, Manifold, Reference
from cfg_core.files import write_atomically
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import resolve
from cfg_core.sampling.loop import begin, parameters_of, sample
from cfg_core.sampling.samplers import SAMPLERS

MIN_SAMPLES = 1000
"""Below this a Fréchet distance is mostly its own bias, and is not called FID."""


ROWS = 96
"""Pictures that are drawn together, over all w; from 64 to 128 is fastest on a CPU."""


CHUNK = 480
"""Samples, at every w, whose features are written to one file; a kill loses no more."""


Figures = dict[str, Estimate]
"""Metric → its figure."""


@dataclass(frozen=True)
class Options:
    """A sweep over w. precision: a key of devices.PRECISIONS. parameters: of rule and sampler, completed by their
    defaults. Raises ValueError for a field out of range."""

    w: tuple[float, ...]
    samples: int = 10_000
    sampler: str = "dpmpp_2m"
    steps: int = 12
    rule: str = "cfg"
    seed: int = 0
    precision: str = "default"
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for w in self.w:
            number("w", w, -1, 100)
        if number("samples", self.samples, 1, 10_000_000, whole=True) < MIN_SAMPLES:
            raise ValueError(f"samples must be at least {MIN_SAMPLES} for a figure called FID, got {self.samples}")
        choice("sampler", self.sampler, SAMPLERS)
        number("steps", self.steps, 1, 10_000, whole=True)
        choice("rule", self.rule, RULES)
        object.__setattr__(self, "parameters", resolve(parameters_of(self.sampler, self.rule), self.parameters))
        choice("precision", self.precision, PRECISIONS)
        number("seed", self.seed, 0, 2**32 - 1, whole=True)


# ---- drawing ----


def draw_samples(denoiser: Denoiser, options: Options, samples: range) -> Iterator[Tensor]:
    """These samples, block by block, as pictures (W, B, C, S, S) in [−1, 1] of 256 levels, as the real ones have.

    Sample i is of class i modulo the number of classes and has the same noise at every w.
    """
    count = len(options.w)
    for first in samples[:: max(1, ROWS // count)]:
        block = range(first, min(first + max(1, ROWS // count), samples.stop))
        noise = grid_noise(options.seed, block, denoiser.shape, denoiser.device)
        job = begin(
            denoiser,
            _repeated(noise, count),
            _labels(denoiser, block).repeat(count),
            torch.tensor(options.w, dtype=torch.float32).repeat_interleave(len(block)),
            sampler=options.sampler,
            steps=options.steps,
            rule=options.rule,
            parameters=options.parameters,
        )
        yield to_unit(to_bytes(sample(denoiser, job))).unflatten(0, (count, len(block)))


def _labels(denoiser: Denoiser, samples: range) -> Tensor:
    return torch.tensor(samples) % len(denoiser.classes)


def _repeated(noise: Noise, times: int) -> Noise:
    return lambda step: noise(step).repeat(times, 1, 1, 1)


def judge_drawn(
    folder: Path,
    denoiser: Denoiser,
    judge: Classifier,
    options: Options,
    share: tuple[int, int] = (0, 1),
    report: Callable[[int], None] = lambda done: None,
) -> None:
    """Draw the chunks whose features the folder does not hold yet: those of process ``share[0]`` of ``share[1]``.

    ``report`` hears, block by block, how many samples were done.
    """
    for chunk in _chunks(options)[share[0] :: share[1]]:
        if _file(folder, chunk).exists():
            report(len(chunk))
            continue
        found = []
        for pictures in draw_samples(denoiser, options, chunk):
            found.append(judge.features(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2]))
            report(pictures.shape[1])
        features = torch.cat(found, 1)
        write_atomically(_file(folder, chunk), save({"features": features.contiguous()}))


def _chunks(options: Options) -> list[range]:
    return [range(first, min(first + CHUNK, options.samples)) for first in range(0, options.samples, CHUNK)]


def _file(folder: Path, chunk: range) -> Path:
    return folder / f"{chunk.start}-{chunk.stop}.safetensors"


def gather(folder: Path, denoiser: Denoiser, judge: Classifier, options: Options) -> list[Judged]:
    """What the folder holds, for each w."""
    features = torch.cat([load(_file(folder, chunk).read_bytes())["features"] for chunk in _chunks(options)], 1)
    labels = _labels(denoiser, range(options.samples))
    return [_judged(judge, of_w, labels) for of_w in features]


def judge_real(judge: Classifier, dataset: DataSet, rows: Sequence[int]) -> Judged:
    """These pictures of a data set, at bounded memory."""
    chosen = torch.as_tensor(rows)
    features = torch.cat([judge.features(to_unit(dataset.images[block])) for block in chosen.split(BLOCK)])
    return _judged(judge, features, dataset.labels[chosen])


def _judged(judge: Classifier, features: Tensor, labels: Tensor) -> Judged:
    return Judged(features.double().numpy(), judge.probabilities_of(features).double().numpy(), labels.numpy())


# ---- measuring ----


def compared(judge: Classifier, training: DataSet, options: Options) -> Reference:
    """The training pictures: all for FID, and as many as there are samples, picked by the seed, for the manifold."""
    every = judge_real(judge, training, range(len(training.labels))).features
    picked = np.random.default_rng(options.seed).permutation(len(every))[: options.samples]
    return Reference(every, Manifold.fit(every[picked]))


def held_out(judge: Classifier, test: DataSet, options: Options) -> Judged:
    """As many test pictures as there are samples, or all where there are fewer, picked by the seed."""
    picked = np.random.default_rng(options.seed).permutation(len(test.labels))[: options.samples]
    return judge_real(judge, test, picked.tolist())


def measure(reference: Reference, judged: Judged) -> Figures:
    """Every metric."""
    return {name: metric.estimate(reference, judged) for name, metric in METRICS.items()}


# ---- files ----


def resume(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder of what is drawn. Raises ValueError where it holds what another sweep drew."""
    folder.mkdir(parents=True, exist_ok=True)
    sign, content = folder / "sweep.json", json.dumps(identity, indent=2)
    if sign.exists() and sign.read_text() != content:
        raise ValueError(f"out must not be that of another unfinished sweep; delete {folder} or choose another name")
    write_atomically(sign, content.encode())


def flat(figures: Figures) -> dict[str, float]:
    """metric, metric_low and metric_high, one after the other."""
    return {
        f"{name}{end}": value
        for name, figure in figures.items()
        for end, value in (("", figure.value), ("_low", figure.low), ("_high", figure.high))
    }


def record(floor: Figures, figures: Sequence[Figures], options: Options, **provenance: Any) -> dict[str, Any]:
    """The JSON of a sweep: where it comes from, the floor, and one entry a w."""
    return {
        **provenance,
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **{name: value for name, value in asdict(options).items() if name != "w"},
        "interval": "95 % percentile bootstrap over the samples (recall: over the real pictures), the rest held fixed",
        "floor": flat(floor),
        "results": [{"w": w, **flat(found)} for w, found in zip(options.w, figures, strict=True)],
    }


def table_of(found: dict[str, Any]) -> str:
    """The figures of a sweep as CSV, the floor in the last row."""
    text = io.StringIO()
    rows = [*found["results"], {"w": "real", **found["floor"]}]
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
