"""Drawing and measuring a model's samples over guidance strengths w, as ``python -m cfg_core evaluate`` does.

Features and class probabilities are those of a classifier of clean images. FID is measured against the whole training
split, precision and recall against as many of its images as there are samples. The real baseline is the same metrics of
held-out real images.

The labels of the samples have the class frequencies of the training split: FID compares whole distributions, and
samples of other frequencies would differ from the data even if every class were perfect (``sample_labels``).

Features of what is drawn are kept in ``OUT.drawn/`` until the sweep is finished: the same command resumes it.
``torchrun --nproc_per_node 2 -m -- cfg_core evaluate …`` divides it between processes, or GPUs.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from cfg_core.checkpoints.classifiers import BLOCK, Classifier
from cfg_core.checks import choice, number, shown
from cfg_core.data.datasets import DataSet
from cfg_core.data.pixels import check_finite, to_bytes, to_unit
from cfg_core.devices import PRECISIONS
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.noise import Noise, grid_noise
from cfg_core.evaluation.metrics import METRICS, ClassifiedImages, Figures, Reference
from cfg_core.evaluation.precision_recall import Manifold
from cfg_core.files import write_atomically
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import resolve
from cfg_core.sampling.loop import Job, begin, parameters_of, sample
from cfg_core.sampling.samplers import SAMPLERS

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
    count = len(options.w)
    for first in samples[:: max(1, ROWS // count)]:
        block = range(first, min(first + max(1, ROWS // count), samples.stop))
        job = begin_samples(denoiser, options, block)
        yield to_unit(to_bytes(check_finite(sample(denoiser, job)))).unflatten(0, (count, len(block)))


def _labels(denoiser: Denoiser, options: Options) -> Tensor:
    return sample_labels(options.class_counts or [1] * len(denoiser.classes), options.samples)


def _repeated(noise: Noise, times: int) -> Noise:
    return lambda step: noise(step).repeat(times, 1, 1, 1)


def draw_features(
    folder: Path,
    denoiser: Denoiser,
    classifier: Classifier,
    options: Options,
    share: tuple[int, int] = (0, 1),
    report: Callable[[int], None] = lambda done: None,
) -> None:
    """Draw the chunks whose features the folder does not hold yet: those of process ``share[0]`` of ``share[1]``.

    report: called after every block with the number of samples that were finished.
    """
    for chunk in _chunks(options)[share[0] :: share[1]]:
        if _file(folder, chunk).exists():
            report(len(chunk))
            continue
        found = []
        for images in draw_samples(denoiser, options, chunk):
            found.append(classifier.features(images.flatten(0, 1)).unflatten(0, images.shape[:2]))
            report(images.shape[1])
        features = torch.cat(found, 1)
        write_atomically(_file(folder, chunk), save({"features": features.contiguous()}))


def _chunks(options: Options) -> list[range]:
    return [range(first, min(first + CHUNK, options.samples)) for first in range(0, options.samples, CHUNK)]


def _file(folder: Path, chunk: range) -> Path:
    return folder / f"{chunk.start}-{chunk.stop}.safetensors"


def gather(folder: Path, denoiser: Denoiser, classifier: Classifier, options: Options) -> list[ClassifiedImages]:
    """The samples whose features the folder holds, for each w. Raises ValueError for a file that was damaged."""
    features = torch.cat([_read(_file(folder, chunk)) for chunk in _chunks(options)], 1)
    labels = _labels(denoiser, options)
    return [_classified(classifier, of_w, labels) for of_w in features]


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


def classify_real(classifier: Classifier, dataset: DataSet, rows: Sequence[int]) -> ClassifiedImages:
    """These images of a data set, at bounded memory."""
    chosen = torch.as_tensor(rows)
    features = torch.cat([classifier.features(to_unit(dataset.images[block])) for block in chosen.split(BLOCK)])
    return _classified(classifier, features, dataset.labels[chosen])


def _classified(classifier: Classifier, features: Tensor, labels: Tensor) -> ClassifiedImages:
    probabilities = classifier.probabilities_of(features)
    return ClassifiedImages(features.double().numpy(), probabilities.double().numpy(), labels.numpy())


def check_image_counts(classifier: Classifier, training: DataSet, test: DataSet) -> None:
    """Raises ValueError where a split has too few images for the covariance of the classifier's features."""
    features = classifier.config.architecture.features
    for split, dataset in (("train", training), ("test", test)):
        if len(dataset.labels) <= features:
            raise ValueError(
                f"data must have at least {features + 1} images in its {split} split for FID over {features} features, "
                f"got {len(dataset.labels)}"
            )


def training_reference(classifier: Classifier, training: DataSet, options: Options) -> Reference:
    """The training images: all for FID, and as many as there are samples, picked by the seed, for the manifold."""
    every = classify_real(classifier, training, range(len(training.labels))).features
    picked = np.random.default_rng(options.seed).permutation(len(every))[: options.samples]
    return Reference(every, Manifold.fit(every[picked]))


def held_out_images(classifier: Classifier, test: DataSet, options: Options) -> ClassifiedImages:
    """As many test images as there are samples, or all where there are fewer, picked by the seed."""
    picked = np.random.default_rng(options.seed).permutation(len(test.labels))[: options.samples]
    return classify_real(classifier, test, picked.tolist())


def measure(reference: Reference, images: ClassifiedImages) -> Figures:
    """Every metric."""
    return {name: metric.estimate(reference, images) for name, metric in METRICS.items()}
