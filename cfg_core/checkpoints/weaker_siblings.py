"""The weaker sibling of a model, which autoguidance guides away from (Karras et al., arXiv 2406.02507).

It is a model like any other, smaller and trained on fewer images, in the folder NAME-weak beside its model's.
"""

import os
from dataclasses import replace
from pathlib import Path

from cfg_core.checkpoints.format import Checkpoint, load_checkpoint
from cfg_core.diffusion.network_denoiser import NetworkDenoiser

SUFFIX = "-weak"


def find_weaker(where: str | Path) -> Path | None:
    """The folder of a model's weaker sibling, if there is one. where: of the model."""
    own = Path(os.path.abspath(where) + SUFFIX)  # "FOLDER/" and "." have a name too
    return own if own.is_dir() else None


def with_weaker(checkpoint: Checkpoint, where: str | Path) -> Checkpoint:
    """The checkpoint with a weaker sibling, from a folder or from the Hub, and its hash; its networks are shared.

    Raises CheckpointError as ``load_checkpoint`` does, and ValueError for a model of other images, other classes or
    another range of λ.
    """
    old = checkpoint.denoiser
    sibling = load_checkpoint(where, old.device, old.precision)
    theirs, ours = ((d.shape, d.classes, d.schedule) for d in (sibling.denoiser, old))
    if theirs != ours:
        raise ValueError(
            f"weaker must be of the checkpoint's pictures {ours[0]}, classes ({', '.join(ours[1])}) and {ours[2]}, "
            f"got {theirs[0]}, ({', '.join(theirs[1])}) and {theirs[2]}"
        )
    denoiser = NetworkDenoiser(
        old.network, old.schedule, old.classes, old.precision, old.classifier, weaker=sibling.denoiser
    )
    return replace(checkpoint, denoiser=denoiser, weaker=sibling.hash)
