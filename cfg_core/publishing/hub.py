"""A checkpoint to the Hub and back: pushed with its figures and a sheet of samples, pulled and verified.

    python -m cfg_core hub push checkpoints/fashion-mnist owner/name
    python -m cfg_core hub pull owner/name folder

Whatever fails on the way is one sentence, and nothing is left half-written, here or there: a push is one commit, a pull
appears once all of it has arrived and has been verified.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.hf_api import RepoSibling

from cfg_core.checkpoints.format import CARD, CONFIG, WEIGHTS, Checkpoint, CheckpointError, load_checkpoint
from cfg_core.checkpoints.model_card import model_card
from cfg_core.checkpoints.model_folder import REAL
from cfg_core.checkpoints.public_names import local_paths, replace_paths
from cfg_core.evaluation.curve_file import Curve
from cfg_core.files import check_writable
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet
from cfg_core.hub_errors import explained
from cfg_core.publishing.pushed_card import PICTURE, pushed_card


def push(
    folder: Path, repository: str, measured: Sequence[Curve] = (), report: Callable[[str], None] = lambda sentence: None
) -> str:
    """Upload a checkpoint in one commit, creating the repository where needed; returns its address.

    measured: curves, of which those of these weights go into the card. report: called with a sentence for each local
    path that is replaced in what is published. Raises CheckpointError for a folder that would not load, and for
    whatever the Hub refuses.
    """
    checkpoint = load_checkpoint(folder)
    config = (folder / CONFIG).read_text(encoding="utf-8")
    paths = local_paths(json.loads(config))
    for path, name in paths.items():
        report(f"the path {path} is published as {name}")
    card = (folder / CARD).read_text("utf-8") if (folder / CARD).is_file() else model_card(checkpoint.config)
    curve = next((each for each in measured if each.checkpoint == checkpoint.hash), None)
    files = {
        WEIGHTS: (folder / WEIGHTS).read_bytes(),
        CONFIG: replace_paths(config, paths).encode(),
        CARD: replace_paths(pushed_card(card, repository, curve), paths).encode("utf-8", "backslashreplace"),
        PICTURE: sample_sheet(checkpoint),
    }
    if (folder / REAL).is_file():
        files[REAL] = (folder / REAL).read_bytes()
    operations = [CommitOperationAdd(name, content) for name, content in files.items()]
    with explained(f"{repository} could not be uploaded to the Hub", CheckpointError):
        api = HfApi()
        address = api.create_repo(repository, exist_ok=True)
        api.create_commit(repository, operations, commit_message=f"Weights {checkpoint.hash}")
    return str(address)


def sample_sheet(checkpoint: Checkpoint) -> bytes:
    """A sheet of samples as PNG: two noises of each of the first ten classes at w = 0, 1 and 3."""
    classes = checkpoint.config.classes[:10]
    request = GridRequest(checkpoint.hash, tuple(range(len(classes))), w=(0.0, 1.0, 3.0), samples=2)
    file = io.BytesIO()
    draw_sheet(request, draw_grid(checkpoint.denoiser, request), classes).save(file, "PNG")
    return file.getvalue()


def pull(repository: str, folder: Path) -> Checkpoint:
    """Download a checkpoint, verify it against the Hub's own hashes and against itself, and write it to a new folder.

    Raises CheckpointError where it cannot be fetched or is not what it should be, and where the folder exists.
    """
    if os.path.lexists(folder):
        raise CheckpointError(f"folder must be new, got {folder}, which is there")
    check_writable("folder", folder.parent, folder=True)
    partial = folder.with_name(f"{secrets.token_hex(16)}.partial")
    try:
        with explained(f"{repository} could not be fetched from the Hub", CheckpointError):
            info = HfApi().model_info(repository, files_metadata=True)
            there = {file.rfilename: file for file in info.siblings or []}
            if missing := [name for name in (WEIGHTS, CONFIG) if name not in there]:
                raise CheckpointError(f"{repository} must have {' and '.join(missing)}, it has {', '.join(there)}")
            for name in filter(there.__contains__, (WEIGHTS, CONFIG, CARD, REAL)):
                hf_hub_download(repository, name, revision=info.sha, local_dir=partial)
                _verify(partial / name, there[name])
        load_checkpoint(partial)
        shutil.rmtree(partial / ".cache", ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return load_checkpoint(folder)


def _verify(path: Path, file: RepoSibling) -> None:
    """Raises CheckpointError unless the file has the hash that the Hub lists: SHA-256, or Git's."""
    content = path.read_bytes()
    expected: str | None
    if file.lfs:
        expected, found = file.lfs.sha256, hashlib.sha256(content).hexdigest()
    else:
        expected, found = file.blob_id, hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if expected != found:
        raise CheckpointError(f"{path.name} must have the hash {expected} that the Hub reports, got {found}")
