"""To the Hub and back: a checkpoint with its figures and a picture, the page itself as a Space.

    python -m cfg_core hub push checkpoints/fashion-mnist owner/name
    python -m cfg_core hub pull owner/name folder
    python -m cfg_core hub deploy --space owner/name --checkpoint facebook/DiT-XL-2-256 --dry-run

Whatever goes wrong on the way is one sentence, and nothing is left half-written, here or there: a push is one commit, a
pull appears once all of it has come and has been verified, a Space gets its files in one commit and then its models.
"""

import argparse
import hashlib
import io
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, EvalResult, HfApi, ModelCard, ModelCardData, hf_hub_download

from cfg_core.checkpoints.diffusers_models import HUB_NAME, NEEDS
from cfg_core.checkpoints.format import (
    CARD,
    CONFIG,
    MAX_FILE_BYTES,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    model_card,
)
from cfg_core.checks import shown
from cfg_core.data.datasets import SOURCES
from cfg_core.evaluation.curve_file import Curve
from cfg_core.evaluation.curves import basis
from cfg_core.evaluation.metrics import METRICS
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet
from cfg_core.hub_errors import explained

ROOT = Path(__file__).parents[2]


PICTURE = "samples.png"


BEGIN, END = "<!-- written by push -->", "<!-- up to here -->"


PUSHED = re.compile(rf"{BEGIN}.*?{END}\n*", re.DOTALL)
"""What a push has added to a card."""


REQUIREMENTS = "requirements.txt"


SPACE_FILES = ("app.py", "README.md", "LICENSE", REQUIREMENTS, "cfg_core", "assets", "checkpoints", "docs")
"""What of the project a Space needs."""


OFFERED = "GUIDANCE_LAB_CHECKPOINTS"
"""The variable in which app.py finds the models that a Space offers on top of those that ship."""


# ---- a checkpoint ----------------------------------------------------------------------------------------------------


def push(folder: Path, repository: str, measured: Sequence[Curve] = ()) -> str:
    """Upload a checkpoint in one commit, creating the repository where needed; returns its address.

    measured: curves, of which those of these weights go into the card. Raises CheckpointError for a folder that would
    not load, and for whatever the Hub refuses.
    """
    checkpoint = load_checkpoint(folder)
    card = (folder / CARD).read_text() if (folder / CARD).is_file() else model_card(checkpoint.config)
    curve = next((each for each in measured if each.checkpoint == checkpoint.hash), None)
    files = {
        WEIGHTS: (folder / WEIGHTS).read_bytes(),
        CONFIG: (folder / CONFIG).read_bytes(),
        CARD: described(card, repository, curve).encode(),
        PICTURE: picture(checkpoint),
    }
    operations = [CommitOperationAdd(name, content) for name, content in files.items()]
    with explained(f"{repository} could not be uploaded to the Hub", CheckpointError):
        api = HfApi()
        address = api.create_repo(repository, exist_ok=True)
        api.create_commit(repository, operations, commit_message=f"Weights {checkpoint.hash}")
    return str(address)


def picture(checkpoint: Checkpoint) -> bytes:
    """A sheet of samples as PNG: two noises of each of the first ten classes at w = 0, 1 and 3."""
    classes = checkpoint.config.classes[:10]
    request = GridRequest(checkpoint.hash, tuple(range(len(classes))), w=(0.0, 1.0, 3.0), samples=2)
    file = io.BytesIO()
    draw_sheet(request, draw_grid(checkpoint.denoiser, request), classes).save(file, "PNG")
    return file.getvalue()


def described(card: str, repository: str, curve: Curve | None) -> str:
    """The card with a picture and, in the Hub's format for evaluations, the figures of a curve, in place of any that
    an earlier push left in it."""
    local = ModelCard(card, ignore_metadata_errors=True)
    known = {**local.data.to_dict(), "pipeline_tag": "unconditional-image-generation"}
    known.pop("model-index", None)
    if curve:
        known |= {"model_name": repository.split("/")[-1], "eval_results": results(curve)}
    added = [BEGIN, f"![Samples at w = 0, 1 and 3, from the same noise]({PICTURE})", basis(curve) if curve else "", END]
    text = "\n\n".join(filter(None, [PUSHED.sub("", local.text).rstrip(), *added]))
    return f"---\n{ModelCardData(**known).to_yaml()}\n---\n{text}\n"


def results(curve: Curve) -> list[EvalResult]:
    """The figures without guidance, and at the w of the lowest FID."""
    source = SOURCES.get(curve.data)
    best = min(curve.points, key=lambda point: point.figures["fid"].value)
    settings = {"sampler": curve.sampler, "steps": curve.steps, "rule": curve.rule, "samples": curve.samples}
    return [
        EvalResult(
            task_type="unconditional-image-generation",
            dataset_type=source.repository if source else curve.data,
            dataset_name=curve.data,
            metric_type=name,
            metric_name=f"{METRICS[name].title} at w = {point.w:g}",
            metric_value=round(figure.value, 4),
            metric_args={"w": point.w, **settings, "features": curve.features},
        )
        for point in (curve.points[0], best)[: 1 if best is curve.points[0] else 2]
        for name, figure in point.figures.items()
    ]


def pull(repository: str, folder: Path) -> Checkpoint:
    """Download a checkpoint, verify it against the Hub's own hashes and against itself, and write it to a new folder.

    Raises CheckpointError where it cannot be had or is not what it should be, and where the folder is there already.
    """
    if folder.exists():
        raise CheckpointError(f"folder must be new, got {folder}, which is there")
    partial = folder.with_name(folder.name + ".partial")
    try:
        with explained(f"{repository} could not be had from the Hub", CheckpointError):
            info = HfApi().model_info(repository, files_metadata=True)
            there = {file.rfilename: file for file in info.siblings or []}
            if missing := [name for name in (WEIGHTS, CONFIG) if name not in there]:
                raise CheckpointError(f"{repository} must have {' and '.join(missing)}, it has {', '.join(there)}")
            for name in filter(there.__contains__, (WEIGHTS, CONFIG, CARD)):
                hf_hub_download(repository, name, revision=info.sha, local_dir=partial)
                _verify(partial / name, there[name])
        load_checkpoint(partial)
        shutil.rmtree(partial / ".cache", ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return load_checkpoint(folder)


def _verify(path: Path, told: Any) -> None:
    """Raises CheckpointError unless the file has the hash that the Hub says it has: SHA-256, or Git's."""
    content = path.read_bytes()
    if told.lfs:
        expected, found = told.lfs.sha256, hashlib.sha256(content).hexdigest()
    else:
        expected, found = told.blob_id, hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if expected != found:
        raise CheckpointError(f"{path.name} must have the hash {expected} that the Hub tells, got {found}")


# ---- the page as a Space ---------------------------------------------------------------------------------------------


def space_files(root: Path = ROOT) -> list[Path]:
    """What a Space is made of, relative to the project. Raises CheckpointError for what the Hub would not take."""
    found = []
    for name in SPACE_FILES:
        entry = root / name
        files = [entry] if entry.is_file() else sorted(entry.rglob("*"))
        found += [f.relative_to(root) for f in files if f.is_file() and "__pycache__" not in f.parts]
    missing = [name for name in SPACE_FILES if not (root / name).exists()]
    if missing:
        raise CheckpointError(f"project must have {', '.join(missing)} to become a Space, {root} has not")
    for path in found:
        if (size := (root / path).stat().st_size) > MAX_FILE_BYTES:
            raise CheckpointError(f"{path} must have at most {MAX_FILE_BYTES:,} bytes for a Space, got {size:,}")
    return found


def space_requirements(offered: Sequence[str], root: Path = ROOT) -> bytes:
    """A Space's requirements.txt: the project's, and what models made elsewhere need where any are offered."""
    needed = f"{NEEDS}\n" if offered else ""
    return (root / REQUIREMENTS).read_bytes() + needed.encode()


def deploy(space: str, offered: Sequence[str] = (), root: Path = ROOT) -> str:
    """Create a Space, where there is none of that name, and upload the project to it in one commit; its address.

    offered: names of models on the Hub, which it offers before those that ship; without any, it offers those alone.
    Raises CheckpointError as ``space_files`` does, and for whatever the Hub refuses.
    """
    contents: dict[str, Path | bytes] = {path.as_posix(): root / path for path in space_files(root)}
    contents[REQUIREMENTS] = space_requirements(offered, root)
    operations = [CommitOperationAdd(name, content) for name, content in contents.items()]
    api = HfApi()
    with explained(f"{space} could not be deployed", CheckpointError):
        address = api.create_repo(space, repo_type="space", space_sdk="gradio", exist_ok=True)
        api.create_commit(space, operations, commit_message="Guidance Lab", repo_type="space")
    with explained(f"{space} was uploaded, but {OFFERED} could not be set", CheckpointError):
        if offered:
            api.add_space_variable(space, OFFERED, " ".join(offered))
        elif OFFERED in api.get_space_variables(space):
            api.delete_space_variable(space, OFFERED)
    return str(address)


def planned(space: str, offered: Sequence[str], root: Path = ROOT) -> str:
    """What ``deploy`` would do, asking nobody. Raises CheckpointError as ``space_files`` does."""
    files = space_files(root)
    size = sum((root / path).stat().st_size for path in files)
    lines = [*map(str, files), f"{len(files)} files, {size:,} bytes, would be uploaded to the Space {space}"]
    if offered:
        lines += [
            f"{REQUIREMENTS} would get the line {NEEDS}",
            f"{OFFERED} would be {' '.join(offered)}",
        ]
    return "\n".join(lines)


# ---- the command line ------------------------------------------------------------------------------------------------


def hub_name(text: str) -> str:
    """The text, if it may be a name on the Hub, as argparse wants it."""
    if not HUB_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be owner/name or owner/name@revision on the Hub, got {shown(text)}")
    return text
