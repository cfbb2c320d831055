"""Weights in safetensors: compared with their network by the header alone, then read, and refused if not finite.

A file of a kilobyte may describe a network of gigabytes. No memory is taken for it before its weights are there too.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load
from torch import Tensor, nn

from cfg_core.checks import one_line, shown

FLOATING = ("F32", "F16", "BF16")
"""The format's names of the types in which weights of a float32 network may be stored: none has larger numbers."""


Header = Mapping[str, tuple[str, tuple[int, ...]]]
"""Tensor of a file → its type, as the format calls it, and its shape."""


AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


def read_header(path: Path) -> Header:
    """What a file of weights holds, without its data. Raises ValueError for what is no whole safetensors file."""
    try:
        with safe_open(path, "np") as file:
            parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {name: (part.get_dtype(), tuple(part.get_shape())) for name, part in parts.items()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name} is cut off or not a safetensors file ({one_line(error)})") from error


def without_memory(build: Callable[[], AnyNetwork]) -> AnyNetwork:
    """The network on torch's meta device: its tensors have types and shapes, and no data."""
    with torch.device("meta"):
        return build()


def check_fits(header: Header, expected: Mapping[str, Tensor]) -> None:
    """Raises ValueError, with the first difference, unless the header has exactly the expected tensors.

    Floating-point ones may be stored at any precision of FLOATING.
    """
    for name, tensor in expected.items():
        if name not in header:
            raise ValueError(f"it lacks the tensor {name}")
        kind, shape = header[name]
        integer = f"I{8 * tensor.element_size()}"
        fits = kind in FLOATING if tensor.is_floating_point() else kind == integer
        if not fits or shape != tuple(tensor.shape):
            what = "floating point" if tensor.is_floating_point() else integer
            raise ValueError(f"{name} must be {what} of shape {tuple(tensor.shape)}, got {kind} of shape {shape}")
    if unknown := sorted(header.keys() - expected.keys()):
        raise ValueError(f"it has the tensor {shown(unknown[0])}, which the network has not")


def read_weights(path: Path, expected: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file, and the first 12 hex digits of its SHA-256.

    expected: of a network without memory, with which the header is compared before anything else is read. Raises
    ValueError for a file that does not fit or is not finite, OSError for one that cannot be read.
    """
    header = read_header(path)
    try:
        check_fits(header, expected)
    except ValueError as error:
        raise ValueError(f"{path.name} does not fit its config: {error}") from error
    content = path.read_bytes()
    weights = load(content)
    with one_core():
        check_finite(weights.values())
    return weights, hashlib.sha256(content).hexdigest()[:12]


def check_finite(tensors: Iterable[Tensor]) -> None:
    """Raises ValueError, with their count, where some of the tensors have an element that is not finite."""
    finite = [bool(tensor.isfinite().all()) for tensor in tensors]
    if not all(finite):
        raise ValueError(f"weights must be finite, got {finite.count(False)} of {len(finite)} tensors that are not")


@contextmanager
def one_core() -> Iterator[None]:
    """Compute on one core. A thread that has computed on several keeps its OpenMP helper threads. If the thread that
    loads had some besides those of the thread that draws, there would be more helpers than cores, OpenMP would let them
    sleep between loops, and drawing would be half as fast."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(cores)
