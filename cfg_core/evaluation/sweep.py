"""Drawing and measuring a model's samples over guidance strengths w, as ``python -m cfg_core evaluate`` does.

FID is measured against the whole training split, precision and recall against as many of its images as there are
samples. The real baseline is the same metrics of held-out real images (real_images.py).

The labels of the samples have the class frequencies of the training split: FID compares whole distributions, and
samples of other frequencies would differ from the data even if every class were perfect (``sample_labels``).

Features of what is drawn, and the figures that are finished, are kept in ``OUT.drawn/`` until the sweep is: the same
command resumes it. Each core draws samples of its own; to wait for each other in every layer takes longer.
``torchrun --nproc_per_node 2 -m -- cfg_core evaluate …`` divides it between processes, or GPUs.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from cfg_core.checks import choice, number, shown
from cfg_core.data.pixels import check_finite, to_bytes, to_unit
from cfg_core.devices import PRECISIONS
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.noise import Noise, grid_noise
from cfg_core.evaluation.bootstrap import Estimate
from cfg_core.evaluation.extractor import Extractor
from cfg_core.evaluation.metrics import METRICS, Figures, MeasuredImages, Reference
from cfg_core.files import write_atomically
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import resolve
from cfg_core.sampling.loop import Job, begin, parameters_of, sample
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.threads import on_cores

MIN_SAMPLES = 1000
"""Below this a Fréchet distance is mostly its own bias, and is not called FID."""


ROWS = 96
"""Samples that are drawn together, over all w; from 64 to 128 is fastest on a CPU."""


CHUNK = 480
"""Samples, at every w, whose features are written to one file; a kill loses no more."""


@dataclass(frozen=True)
class Options:
    """A sweep over w. precision: a key of devices.PRECISIONS. parameters: of rule and sampler, completed by their
    defaults. class_counts: how many training images each class has, whose frequencies the samples get; all classes
    alike where it is empty. Raises ValueError for a field out of range."""

    w: tuple[float, ...]
    samples: int = 10_000
    sampler: str = "dpmpp_2m"
    steps: int = 12
    rule: str = "cfg"
    seed: int = 0
    precision: str = "default"
    parameters: Mapping[str, float] = field(default_factory=dict)
    class_counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for w in self.w:
            number("w", w, -1, 100)
        if len(set(self.w)) < len(self.w):
            raise ValueError(f"w must hold each guidance strength once, got {shown(self.w)}")
        if number("samples", self.samples, 1, 10_000_000, whole=True) < MIN_SAMPLES:
            raise ValueError(f"samples must be at least {MIN_SAMPLES} for a figure called FID, got {self.samples}")
        choice("sampler", self.sampler, SAMPLERS)
        number("steps", self.steps, 1, 10_000, whole=True)
        choice("rule", self.rule, RULES)
        object.__setattr__(self, "parameters", resolve(parameters_of(self.sampler, self.rule), self.parameters))
        choice("precision", self.precision, PRECISIONS)
        number("seed", self.seed, 0, 2**32 - 1, whole=True)
        for count in self.class_counts:
            number("class_counts", count, 0, 1e12, whole=True)


# ---- drawing ----


def sample_labels(class_counts: Sequence[int], samples: int) -> Tensor:
    """Labels (samples,), every prefix of which has the frequencies of class_counts (K,) as nearly as whole numbers can.

    The j-th sample of class c stands at (j + ½) / class_counts[c] on a line, and all are taken in this order, the lower
    label first where two meet: Webster's apportionment, one sample at a time. Equal counts give 0, 1, … K − 1, 0, 1, …
    """
    counts = np.asarray(class_counts, dtype=np.float64)
    reach = (samples + len(counts)) / counts.sum()
    each = np.floor(reach * counts + 0.5).astype(int)
    labels = np.repeat(np.arange(len(counts)), each)
    places = np.concatenate([np.arange(count) for count in each])
    order = np.lexsort((labels, (places + 0.5) / counts[labels]))
    return torch.from_numpy(labels[order[:samples]])


def begin_samples(denoiser: Denoiser, options: Options, samples: range) -> Job:
    """These samples at their first step, at every w: B samples of the first w, then of the next.

    Sample i has the same class and the same noise at every w. Raises ValueError for steps that the model's or the
    sampler's spacing does not have.
    """
    count = len(options.w)
    labels = _labels(denoiser, options)[samples.start : samples.stop]
    return begin(
        denoiser,
        _repeated(grid_noise(options.seed, samples, denoiser.shape, denoiser.device), count),
        labels.repeat(count),
        torch.tensor(options.w, dtype=torch.float32).repeat_interleave(len(samples)),
        sampler=options.sampler,
        steps=options.steps,
        rule=options.rule,
        parameters=options.parameters,
    )


def draw_samples(denoiser: Denoiser, options: Options, samples: range) -> Iterator[Tensor]:
    """These samples, block by block, as images (W, B, C, S, S) in [−1, 1] of 256 levels, as the real ones have."""
    for block in _blocks(samples, len(options.w)):
        job = begin_samples(denoiser, options, block)
        yield to_unit(to_bytes(check_finite(sample(denoiser, job)))).unflatten(0, (len(options.w), len(block)))


def _blocks(samples: range, count: int) -> list[range]:
    """The samples that are drawn together at so many w."""
    size = max(1, ROWS // count)
    return [range(first, min(first + size, samples.stop)) for first in samples[::size]]


def _labels(denoiser: Denoiser, options: Options) -> Tensor:
    return sample_labels(options.class_counts or [1] * len(denoiser.classes), options.samples)


def _repeated(noise: Noise, times: int) -> Noise:
    return lambda step: noise(step).repeat(times, 1, 1, 1)


def draw_features(
    folder: Path,
    denoiser: Denoiser,
    extractor: Extractor,
    options: Options,
    share: tuple[int, int] = (0, 1),
    report: Callable[[int], None] = lambda done: None,
) -> None:
    """Draw the chunks whose features the folder does not hold yet: those of process ``share[0]`` of ``share[1]``.

    report: called after every block with the number of samples that were finished.
    """

    def extracted(block: range) -> Tensor:
        [images] = draw_samples(denoiser, options, block)
        return extractor.extract(images.flatten(0, 1)).unflatten(0, images.shape[:2])

    for chunk in _chunks(options)[share[0] :: share[1]]:
        if _file(folder, chunk).exists():
            report(len(chunk))
            continue
        blocks, found = _blocks(chunk, len(options.w)), []
        for features in on_cores(extracted, blocks, denoiser.device):
            report(features.shape[1])
            found.append(features)
        write_atomically(_file(folder, chunk), save({"features": torch.cat(found, 1).contiguous()}))


def _chunks(options: Options) -> list[range]:
    return [range(first, min(first + CHUNK, options.samples)) for first in range(0, options.samples, CHUNK)]


def _file(folder: Path, chunk: range) -> Path:
    return folder / f"{chunk.start}-{chunk.stop}.safetensors"


def gather(folder: Path, denoiser: Denoiser, extractor: Extractor, options: Options) -> list[MeasuredImages]:
    """The samples whose features the folder holds, for each w. Raises ValueError for a file that was damaged."""
    features = torch.cat([_read(_file(folder, chunk)) for chunk in _chunks(options)], 1)
    labels = _labels(denoiser, options)
    return [extractor.measured(of_w, labels) for of_w in features]


def _read(path: Path) -> Tensor:
    try:
        return load(path.read_bytes())["features"]
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} must hold features, got a file without; delete it and begin again") from error


def claim_folder(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder of what is drawn. Raises ValueError where it holds what another sweep drew."""
    folder.mkdir(parents=True, exist_ok=True)
    sign, content = folder / "sweep.json", json.dumps(identity, indent=2)
    if sign.exists() and sign.read_text(encoding="utf-8") != content:
        raise ValueError(f"out must not be that of another unfinished sweep; delete {folder} or choose another name")
    write_atomically(sign, content.encode())


# ---- measuring ----


def measure(reference: Reference, images: MeasuredImages) -> Figures:
    """Every metric."""
    return {name: metric.estimate(reference, images) for name, metric in METRICS.items()}


def measure_once(folder: Path, name: str, images: MeasuredImages, reference: Reference) -> Figures:
    """The same, kept in the folder under a name: what it holds already is not measured again."""
    path = folder / f"figures-{name}.json"
    if path.exists():
        return {metric: Estimate(**figure) for metric, figure in json.loads(path.read_text(encoding="utf-8")).items()}
    figures = measure(reference, images)
    write_atomically(path, json.dumps({metric: asdict(figure) for metric, figure in figures.items()}).encode())
    return figures
