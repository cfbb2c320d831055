"""Classifiers of clean images, the feature extractors of metrics and meters: features for FID, p(c|x) for classes.

They never guide: the network that measures samples must not be the one that steered them (cfg_core.checkpoints.guides).
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from cfg_core.checkpoints.format import (
    LONGEST_PROVENANCE,
    Checkpoint,
    CheckpointConfig,
    checked_fields,
    config_from_json,
    config_to_json,
    read_config,
    read_network,
    schedule_from_json,
)
from cfg_core.checkpoints.model_folder import CheckpointError
from cfg_core.checkpoints.public_names import public_data_name
from cfg_core.checks import line, names, number, text
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork

BLOCK = 500
"""Images that are classified together; it bounds the memory that any number of them takes."""


@dataclass(frozen=True)
class ClassifierConfig:
    """What config.json holds. Raises ValueError for a field out of range.

    schedule: of the noise it was trained under, None for one of clean images. test_accuracy: the share of the clean
    test split that it classifies correctly. spread: the mean distance between the features of two test images of one
    class; 0 where it was not measured. Fields with a default may be absent from the file.
    """

    architecture: ClassifierArchitecture
    classes: tuple[str, ...]
    data: str
    licence: str
    test_accuracy: float
    images_seen: int
    command: str
    schedule: Schedule | None = None
    spread: float = 0.0

    def __post_init__(self) -> None:
        number("test_accuracy", self.test_accuracy, 0, 1)
        number("spread", self.spread, 0, 1e9)
        number("images_seen", self.images_seen, 0, 1e15, whole=True)
        for field in ("data", "licence"):
            line(field, getattr(self, field), LONGEST_PROVENANCE)
        text("command", self.command)
        names("classes", self.classes, self.architecture.num_classes)

    def to_json(self) -> str:
        return config_to_json(self)

    @classmethod
    def from_json(cls, text: str) -> "ClassifierConfig":
        """Raises ValueError for an unknown field, one that is missing, and one out of its range."""
        raw = config_from_json(text, cls)
        raw["architecture"] = ClassifierArchitecture(
            **checked_fields("architecture", raw["architecture"], ClassifierArchitecture)
        )
        if raw.get("schedule") is not None:
            raw["schedule"] = schedule_from_json(raw["schedule"])
        return cls(**raw)


@dataclass(frozen=True)
class Classifier:
    """A trained network, ready to classify. hash: the first 12 hex digits of the SHA-256 of its weights file."""

    network: ClassifierNetwork
    config: ClassifierConfig
    hash: str

    def features(self, images: Tensor) -> Tensor:
        """Pictures (N, C, S, S), floating point in [−1, 1], to penultimate features (N, features) on the CPU.

        Raises ValueError for pictures of another shape or type, and for features that are not finite.
        """
        a = self.config.architecture
        if not images.is_floating_point() or images.shape[1:] != (a.channels, a.size, a.size):
            raise ValueError(
                f"images must be floating point of shape (N, {a.channels}, {a.size}, {a.size}), "
                f"got {images.dtype} of shape {tuple(images.shape)}"
            )
        features = extract_features(self.network, images)
        if not bool(features.isfinite().all()):
            broken = int((~features.isfinite()).any(1).sum())
            raise ValueError(f"features must be finite, got {broken} of {len(features)} pictures whose are not")
        return features

    @torch.inference_mode()
    def probabilities_of(self, features: Tensor) -> Tensor:
        """Features (N, features) to p(c|x) (N, K)."""
        return self.network.head(features.to(self.network.head.weight.device)).softmax(1).cpu()

    def probabilities(self, images: Tensor) -> Tensor:
        """p(c|x) (N, K) of pictures as ``features`` takes them."""
        return self.probabilities_of(self.features(images))


@torch.inference_mode()
def extract_features(network: ClassifierNetwork, images: Tensor) -> Tensor:
    """Penultimate features (N, features) of pictures (N, C, S, S) in [−1, 1], on the CPU, at bounded memory."""
    device = network.head.weight.device
    return torch.cat([network.embed(block.float().to(device)).cpu() for block in images.split(BLOCK)])


def load_classifier(
    where: str | Path, device: str | torch.device = "cpu", checkpoint: Checkpoint | None = None
) -> Classifier:
    """A classifier from a folder, or from the Hub by its ``owner/name``; raises CheckpointError in one sentence.

    checkpoint: the model whose samples it will classify, where that is known; raises ValueError as
    ``check_classifier_matches`` does.
    """
    config, network, digest = read_network(
        where, ClassifierConfig.from_json, lambda c: ClassifierNetwork(c.architecture)
    )
    if checkpoint:
        check_classifier_matches(config, checkpoint)
    return Classifier(network.to(device).eval(), config, digest)


def find_classifier(where: str | Path, kind: str, model: CheckpointConfig) -> Path | None:
    """The folder of a model's classifier: NAME-kind beside its own, or another NAME-kind there of the same images.

    kind: "classifier", of clean images, or "guide", of noisy ones.
    """
    own = Path(f"{os.path.abspath(where)}-{kind}")  # "FOLDER/" and "." have a name too
    if own.is_dir():
        return own
    return next((each for each in sorted(own.parent.glob(f"*-{kind}")) if _serves(each, model)), None)


def _serves(folder: Path, model: CheckpointConfig) -> bool:
    try:
        config, _ = read_config(folder, ClassifierConfig.from_json)
    except CheckpointError:
        return False
    theirs, ours = (
        (c.architecture.channels, c.architecture.size, public_data_name(c.data, c.licence), c.classes)
        for c in (config, model)
    )
    return theirs == ours and config.schedule in (None, model.schedule)


def class_spread(features: Tensor, labels: Tensor) -> float:
    """The mean distance of two images of one class, from features (N, D) and labels (N,), over all classes alike.

    Classes with a single image have no such distance and do not count; 0 where there are no others.
    """
    classes = [features[labels == label] for label in labels.unique()]
    distances = [F.pdist(each).mean() for each in classes if len(each) > 1]
    return float(torch.stack(distances).mean()) if distances else 0.0


def check_classifier_matches(config: ClassifierConfig, checkpoint: Checkpoint) -> None:
    """Raises ValueError unless the classifier has the checkpoint's classes and takes its images."""
    a, denoiser = config.architecture, checkpoint.denoiser
    theirs, ours = ((a.channels, a.size, a.size), config.classes), (denoiser.shape, denoiser.classes)
    if theirs != ours:
        raise ValueError(
            f"classifier must be of the checkpoint's pictures {ours[0]} and classes ({', '.join(ours[1])}), "
            f"got {theirs[0]} and ({', '.join(theirs[1])})"
        )
