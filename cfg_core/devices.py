"""Devices: which there are, what precision suits each, how many threads a CPU gets."""

import torch

from cfg_core.checks import choice

PRECISIONS = {"default": None, "bfloat16": torch.bfloat16}
"""What a command lets convolutions compute in: what is usual on the device, or what is faster on many CPUs."""


CPU_THREADS = 4
"""Up to this many threads an image does not depend on its batch (tests/diffusion/test_network_denoiser.py)."""


DEVICE_PRECISION = {"cuda": torch.float16}
"""What a device computes in, where it is not float32; tests/test_denoiser.py says how far pictures move."""


def choose_device(name: str | None = None) -> torch.device:
    """The device of that name, or the best there is. Raises ValueError for one that is not here."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name is None:
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    choice("device", name, [kind for kind, here in available.items() if here])
    return torch.device(name)


def set_cpu_threads() -> None:
    """Limit torch to CPU_THREADS threads: serving promises that an image is bit-identical alone and in a crowd.

    Threads that begin later take the setting over, so call it before any other work.
    """
    torch.set_num_threads(min(CPU_THREADS, torch.get_num_threads()))
