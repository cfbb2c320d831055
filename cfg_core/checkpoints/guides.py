"""The noise-aware classifier p(c | z_λ) that guides (Dhariwal & Nguyen, arXiv 2105.05233; the paper's section 3.1).

It never grades samples: another network does (cfg_core.checkpoints.classifiers).
"""

from pathlib import Path

from cfg_core.checkpoints.classifiers import ClassifierConfig, check_classifier_matches
from cfg_core.checkpoints.format import Checkpoint, read_network
from cfg_core.networks.noise_aware_classifier import NoiseAwareClassifierNetwork


def attach_guide(checkpoint: Checkpoint, where: str | Path) -> str:
    """Give a checkpoint's denoiser the classifier that guides it, from a folder or from the Hub; returns its hash.

    Raises CheckpointError as ``checkpoints.load`` does, and ValueError for a classifier of other pictures, other
    classes or another range of λ.
    """
    config, network, digest = read_network(
        where, ClassifierConfig.from_json, lambda c: NoiseAwareClassifierNetwork(c.architecture)
    )
    check_classifier_matches(config, checkpoint)
    if config.schedule != checkpoint.config.schedule:
        raise ValueError(f"classifier must be of the checkpoint's {checkpoint.config.schedule}, got {config.schedule}")
    denoiser = checkpoint.denoiser
    denoiser.classifier = network.to(denoiser.device).eval().requires_grad_(False)
    return digest
