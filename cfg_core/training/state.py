"""The file that a run is resumed from: ``state.safetensors``, every tensor of it, with step and options as metadata.

Version 2 has its version in the metadata. Version 1 does not, and may lack options that were added later; in its first
files ``data`` is the data set's name instead of its fingerprint.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor

from cfg_core.checkpoints.weights import check_fits, read_header
from cfg_core.checks import number, one_line, parse_json, shown
from cfg_core.data.folders import folder_name
from cfg_core.files import check_regular, write_atomically
from cfg_core.training.finite import NotFiniteError, check_finite

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

STATE = "state.safetensors"


OPTIMIZER = "optimizer."
"""What the names of the optimiser's tensors begin with."""


VERSION = "2"


ABSENT = {"decay": "cosine"}
"""Options that the first states lack → their values then."""


def write_state(folder: Path, tensors: dict[str, Tensor], step: int, options: "DataclassInstance") -> None:
    """Write the run's state, whole or not at all, into the folder, which must be there."""
    metadata = {"version": VERSION, "step": str(step), "options": json.dumps(asdict(options))}
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    write_atomically(folder / STATE, save_tensors(plain, metadata))


def read_state(folder: Path, expected: Mapping[str, Tensor], device: torch.device) -> tuple[int, dict[str, Tensor]]:
    """The step and the tensors of the folder's state, all on that device.

    expected: the tensors that it must have, beside those of OPTIMIZER. Raises ValueError for a state that cannot be
    used.
    """
    path, (step, _) = folder / STATE, _metadata(folder)
    header = {name: found for name, found in read_header(path).items() if not name.startswith(OPTIMIZER)}
    try:
        check_fits(header, expected)
    except ValueError as error:
        raise ValueError(f"run: {path} does not fit the network: {error}") from error
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name).to(device, copy=True) for name in file.keys()}  # noqa: SIM118
    try:
        check_finite(f"the state of {folder}", tensors)
    except NotFiniteError as error:
        raise ValueError(str(error)) from error
    return step, tensors


def has_state(folder: Path) -> bool:
    """Whether there is a run in that folder already."""
    return os.path.lexists(folder / STATE)


def saved_options(folder: Path) -> dict[str, Any]:
    """The options of the run in that folder, none where there is no run yet. Raises ValueError as ``read_state``."""
    if not has_state(folder):
        return {}
    return {**ABSENT, **_metadata(folder)[1]}


def check_same_run(folder: Path, options: "DataclassInstance", data_name: str) -> None:
    """Raises ValueError, with the first that differs, unless the folder's run has these options.

    data_name: the name of the data set, by which a state without a fingerprint knows it.
    """
    now = json.loads(json.dumps(asdict(options)))
    before = {name: value for name, value in ABSENT.items() if name in now} | _metadata(folder)[1]
    data = before.get("data")
    if isinstance(data, str) and data_name in (data, folder_name(data)):
        before["data"] = now["data"]
    if unknown := sorted(before.keys() - now.keys()):
        raise ValueError(one_line(f"the state of {folder} has unknown options, got {', '.join(unknown)}"))
    for name, value in before.items():
        if value != now[name]:
            raise ValueError(one_line(f"{name} must be {value} as in the run of {folder}, got {now[name]}"))


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin with the prefix, by the rest of their names."""
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _metadata(folder: Path) -> tuple[int, dict[str, Any]]:
    """The step and the options of the folder's state."""
    path = folder / STATE
    try:
        check_regular(path)
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"run: {path} is cut off or not a safetensors file ({one_line(error)})") from error
    if metadata.get("version", "1") not in ("1", VERSION):
        raise ValueError(f"version of {path} must be 1 or {VERSION}, got {shown(metadata['version'])}")
    if lacking := sorted({"step", "options"} - metadata.keys()):
        raise ValueError(f"run: {path} is not the state of a run, it lacks {', '.join(lacking)}")
    try:
        step = number("step", parse_json("step", metadata["step"]), 0, 1e15, whole=True)
        options = parse_json("options", metadata["options"])
        if not isinstance(options, dict):
            raise ValueError(f"options must be an object, got {shown(options)}")
    except ValueError as error:
        raise ValueError(f"run: {path} is not the state of a run: {error}") from error
    return step, options
