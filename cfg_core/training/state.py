"""The file that a run is resumed from: ``state.safetensors``, every tensor of it, with step and options as metadata.

Version 2 has its version in the metadata. Version 1 does not, and may lack options that were added later; in its first
files ``data`` is the data set's name instead of its fingerprint.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor

from cfg_core.checks import shown
from cfg_core.data.folders import folder_name
from cfg_core.files import write_atomically
from cfg_core.training.finite import NotFiniteError, check_finite
from cfg_core.training.options import Options

STATE = "state.safetensors"


VERSION = "2"


ABSENT = {"decay": "cosine"}
"""Options that the first states lack → their values then."""


def write_state(folder: Path, tensors: dict[str, Tensor], step: int, options: Options) -> None:
    """Write the run's state, whole or not at all, into the folder, which must be there."""
    metadata = {"version": VERSION, "step": str(step), "options": json.dumps(asdict(options))}
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    write_atomically(folder / STATE, save_tensors(plain, metadata))


def read_state(folder: Path, device: torch.device) -> tuple[int, dict[str, Tensor]]:
    """The step and the tensors of the folder's state. Raises ValueError for a state that cannot be used."""
    metadata = _metadata(folder)
    with safe_open(folder / STATE, "pt") as file:
        tensors = {name: file.get_tensor(name).to(device) for name in file.keys()}  # noqa: SIM118
    try:
        check_finite(f"the state of {folder}", tensors)
    except NotFiniteError as error:
        raise ValueError(str(error)) from error
    return int(metadata["step"]), tensors


def saved_options(folder: Path) -> dict[str, Any]:
    """The options of the run in that folder, none where there is no run yet. Raises ValueError as ``read_state``."""
    if not (folder / STATE).exists():
        return {}
    return {**ABSENT, **json.loads(_metadata(folder)["options"])}


def check_same_run(folder: Path, options: Options, data_name: str) -> None:
    """Raises ValueError, with the first that differs, unless the folder's run has these options.

    data_name: the name of the data set, by which a state without a fingerprint knows it.
    """
    before, now = saved_options(folder), json.loads(json.dumps(asdict(options)))
    if data_name in (before["data"], folder_name(before["data"])):
        before["data"] = options.data
    if unknown := sorted(before.keys() - now.keys()):
        raise ValueError(f"the state of {folder} has unknown options, got {', '.join(unknown)}")
    for name, value in before.items():
        if value != now[name]:
            raise ValueError(f"{name} must be {value} as in the run of {folder}, got {now[name]}")


def _metadata(folder: Path) -> dict[str, str]:
    try:
        with safe_open(folder / STATE, "pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"run: {folder / STATE} is cut off or not a safetensors file ({error})") from error
    if metadata.get("version", "1") not in ("1", VERSION):
        raise ValueError(f"version of {folder / STATE} must be 1 or {VERSION}, got {shown(metadata['version'])}")
    if lacking := sorted({"step", "options"} - metadata.keys()):
        raise ValueError(f"run: {folder / STATE} is not the state of a run, it lacks {', '.join(lacking)}")
    return metadata
