"""The page as a Space on the Hub: what is uploaded, and which models it offers.

    python -m cfg_core hub deploy --space owner/name --checkpoint facebook/DiT-XL-2-256 --dry-run

A Space gets its files in one commit and then the variable that names its models. Local paths in configs, cards and
curve files are replaced (``publishing``).
"""

import json
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from cfg_core.checkpoints.diffusers_models import NEEDS
from cfg_core.checkpoints.format import CARD, CONFIG, MAX_FILE_BYTES, CheckpointError
from cfg_core.checkpoints.public_names import local_paths, replace_paths
from cfg_core.hub_errors import explained
from cfg_core.program import ROOT

REQUIREMENTS = "requirements.txt"


SPACE_FILES = ("app.py", "README.md", "LICENSE", REQUIREMENTS, "cfg_core", "assets", "checkpoints", "docs")
"""Files and folders of the project that a Space needs."""


MODELS_VARIABLE = "GUIDANCE_LAB_CHECKPOINTS"
"""The variable in which app.py finds the models that a Space offers besides those that ship."""


def space_files(root: Path = ROOT) -> list[Path]:
    """The files of a Space, relative to the project. Raises CheckpointError for what the Hub would not take."""
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


def space_requirements(models: Sequence[str], root: Path = ROOT) -> bytes:
    """A Space's requirements.txt: the project's, and what models of diffusers need where any are offered."""
    needed = f"{NEEDS}\n" if models else ""
    return (root / REQUIREMENTS).read_bytes() + needed.encode()


def published_texts(root: Path = ROOT) -> tuple[dict[str, bytes], dict[str, str]]:
    """The configs, cards and curve files of the project that name local paths, without them; and the paths replaced."""
    texts: dict[str, bytes] = {}
    replaced: dict[str, str] = {}
    for path in (*root.glob(f"checkpoints/*/{CONFIG}"), *root.glob("assets/curves/*.json")):
        try:
            paths = local_paths(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, AttributeError, RecursionError):  # no JSON object: it names no path that is known
            continue
        for file in (path, path.with_name(CARD)) if paths else ():
            if file.is_file():
                texts[file.relative_to(root).as_posix()] = replace_paths(file.read_text("utf-8"), paths).encode()
        replaced |= paths
    return texts, replaced


def deploy(space: str, models: Sequence[str] = (), root: Path = ROOT) -> str:
    """Create a Space, where there is none of that name, and upload the project to it in one commit; its address.

    models: names on the Hub, offered before those that ship; without any, the Space offers those that ship alone.
    Raises CheckpointError as ``space_files`` does, and for whatever the Hub refuses.
    """
    contents: dict[str, Path | bytes] = {path.as_posix(): root / path for path in space_files(root)}
    contents |= published_texts(root)[0]
    contents[REQUIREMENTS] = space_requirements(models, root)
    operations = [CommitOperationAdd(name, content) for name, content in contents.items()]
    api = HfApi()
    with explained(f"{space} could not be deployed", CheckpointError):
        address = api.create_repo(space, repo_type="space", space_sdk="gradio", exist_ok=True)
        api.create_commit(space, operations, commit_message="Guidance Lab", repo_type="space")
    with explained(f"{space} was uploaded, but {MODELS_VARIABLE} could not be set", CheckpointError):
        if models:
            api.add_space_variable(space, MODELS_VARIABLE, " ".join(models))
        elif MODELS_VARIABLE in api.get_space_variables(space):
            api.delete_space_variable(space, MODELS_VARIABLE)
    return str(address)


def planned(space: str, models: Sequence[str], root: Path = ROOT) -> str:
    """What ``deploy`` would do, without a request to the Hub. Raises CheckpointError as ``space_files`` does."""
    files = space_files(root)
    size = sum((root / path).stat().st_size for path in files)
    lines = [*map(str, files), f"{len(files)} files, {size:,} bytes, would be uploaded to the Space {space}"]
    if models:
        lines += [
            f"{REQUIREMENTS} would get the line {NEEDS}",
            f"{MODELS_VARIABLE} would be {' '.join(models)}",
        ]
    return "\n".join(lines)
