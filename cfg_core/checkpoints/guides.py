"""The noise-aware classifier p(c | z_λ) that guides (Dhariwal & Nichol, arXiv 2105.05233; the paper's section 3.1).

It never measures samples: another network does (cfg_core.checkpoints.classifiers).
"""

from dataclasses import replace
from pathlib import Path

from cfg_core.checkpoints.classifiers import ClassifierConfig, check_classifier_matches
from cfg_core.checkpoints.format import Checkpoint, read_network
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.networks.noise_aware_classifier import NoiseAwareClassifierNetwork


def with_guide(checkpoint: Checkpoint, where: str | Path) -> Checkpoint:
    """The checkpoint with a classifier that guides, from a folder or from the Hub, and its hash; its network is shared.

    Raises CheckpointError as ``load_checkpoint`` does, and ValueError for a classifier of other images, other classes
    or another range of λ.
    """
    config, network, digest = read_network(
        where, ClassifierConfig.from_json, lambda c: NoiseAwareClassifierNetwork(c.architecture)
    )
    check_classifier_matches(config, checkpoint)
    if config.schedule != checkpoint.config.schedule:
        raise ValueError(f"classifier must be of the checkpoint's {checkpoint.config.schedule}, got {config.schedule}")
    old = checkpoint.denoiser
    classifier = network.to(old.device).eval().requires_grad_(False)
    denoiser = NetworkDenoiser(old.network, old.schedule, old.classes, old.precision, classifier, old.weaker)
    return replace(checkpoint, denoiser=denoiser, guide=digest)
