"""The weights of diffusers' networks: checked before diffusers reads them, so that it reads safetensors of the folder
alone and takes no more memory than they have bytes."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cfg_core.checkpoints.model_folder import CheckpointError, model_file
from cfg_core.checkpoints.weights import check_finite, check_fits, one_core, read_header, without_memory
from cfg_core.checks import number, parse_json, shown
from cfg_core.files import read_text

WEIGHTS = re.compile(r"diffusion_pytorch_model(?:\.(?P<variant>\w+))?(?:-\d{5}-of-\d{5})?\.safetensors")
"""The files of a network's weights; the variant is what diffusers saved them as, such as fp16."""


INDICES = "*.safetensors.*json"
"""The files that tell diffusers which of several files has which tensor."""


MOST = {"num_layers": 256, "layers_per_block": 32}
"""Numbers of a network's config that say how many modules it has → the largest."""


MOST_LEVELS = 16
"""Entries of a list in a network's config."""


MOST_BUFFERED = 2**26
"""Numbers in the buffers of a network, which are computed and not among its weights."""


def read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds. Raises ValueError, and OSError where the file cannot be read."""
    found = parse_json(path.name, read_text(path))
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} must hold an object, got {shown(found)}")
    return found


def check_size(config: Mapping[str, Any]) -> None:
    """Raises ValueError for a network of so many modules that only building it, without memory, would take long."""
    for field, value in config.items():
        if field in MOST and value is not None:
            number(field, value, 1, MOST[field], whole=True)
        if isinstance(value, list) and len(value) > MOST_LEVELS:
            raise ValueError(f"{field} must have at most {MOST_LEVELS} entries, got {len(value):,}")
    if config.get("quantization_config"):
        raise ValueError("quantization_config must be left out, since quantized weights are not read")


def weight_files(folder: Path, part: str) -> list[Path]:
    """The safetensors of a network in a pipeline's folder.

    Raises CheckpointError where there are none that diffusers would read, and where one of them, or a file that an
    index names, is not a file of weights in the network's own folder.
    """
    names = [path.name for path in sorted((folder / part).glob("*.safetensors"))]
    if not names:
        raise CheckpointError(
            f"checkpoint {folder} must have {part}/*.safetensors; pickled weights are never read, docs/spaces.md "
            "says how to convert them"
        )
    if not any(map(WEIGHTS.fullmatch, names)):
        raise CheckpointError(
            f"checkpoint {folder} must have {part}/diffusion_pytorch_model.safetensors, or a variant of it as "
            f"diffusion_pytorch_model.fp16.safetensors, got {', '.join(names[:4])}"
        )
    for index in sorted((folder / part).glob(INDICES)):
        names += _named_by(folder, f"{part}/{index.name}")
    return [model_file(folder, f"{part}/{name}") for name in dict.fromkeys(names)]


def _named_by(folder: Path, index: str) -> list[str]:
    try:
        named = read_object(model_file(folder, index)).get("weight_map")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {folder}: {index} cannot be read ({error})") from error
    if not isinstance(named, dict):
        raise CheckpointError(f"checkpoint {folder}: weight_map of {index} must be an object, got {shown(named)}")
    for name in named.values():
        if not isinstance(name, str) or not WEIGHTS.fullmatch(name):
            raise CheckpointError(
                f"checkpoint {folder}: {index} must name files of its own folder such as "
                f"diffusion_pytorch_model-00001-of-00002.safetensors, got {shown(name)}"
            )
    return list(named.values())


def variant(folder: Path, part: str) -> str | None:
    """The variant of a network's weights that is to be read; None where they are there as they are."""
    matches = map(WEIGHTS.fullmatch, os.listdir(folder / part))
    found = {match["variant"] for match in matches if match}
    return None if None in found else min(found)


def load_network(kind: Any, folder: Path, part: str, config: Mapping[str, Any], dtype: torch.dtype) -> nn.Module:
    """A network of diffusers' with its weights, on the CPU, as dtype.

    kind: its class. Raises ValueError for weights that do not fit its config or are not finite, and what diffusers
    raises.
    """
    files = weight_files(folder, part)
    empty = without_memory(lambda: kind.from_config(config))
    number("numbers in the buffers of the network", sum(b.numel() for b in empty.buffers()), 0, MOST_BUFFERED)
    header = {name: found for path in files for name, found in read_header(path).items()}
    expected = {name: tensor for name, tensor in empty.state_dict().items() if name in header}
    check_fits({name: header[name] for name in expected}, expected)  # diffusers knows older names for the others
    network, found = kind.from_pretrained(
        folder,
        subfolder=part,
        use_safetensors=True,
        variant=variant(folder, part),
        torch_dtype=dtype,
        low_cpu_mem_usage=True,
        output_loading_info=True,
    )
    if missing := sorted(found["missing_keys"]):
        raise ValueError(f"the weights of {part} lack the tensor {missing[0]}")
    with one_core():
        check_finite(network.state_dict().values())
    return network
