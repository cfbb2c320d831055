"""The device to compute on, its precision, and the number of CPU threads."""

import torch

from cfg_core.checks import choice

PRECISIONS = {"default": None, "bfloat16": torch.bfloat16}
"""Option ``--precision`` → the dtype of convolutions; None: DEVICE_PRECISION, or else float32."""


CPU_THREADS = 4
"""With at most this many threads an image does not depend on its batch (tests/diffusion/test_network_denoiser.py)."""


DEFAULT_THREADS = torch.get_num_threads()
"""torch's default number of threads: one for each core, or OMP_NUM_THREADS."""


DEVICE_PRECISION = {"cuda": torch.float16}
"""Device type → the dtype of convolutions, where it is not float32; tests/diffusion/test_network_denoiser.py bounds the
effect on images."""


def choose_device(name: str | None = None) -> torch.device:
    """The device of that name, or the best available one. Raises ValueError for one that is not available."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name is None:
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    choice("device", name, [kind for kind, here in available.items() if here])
    return torch.device(name)


def set_cpu_threads(limit: int | None = CPU_THREADS) -> None:
    """Let torch compute on at most ``limit`` CPU threads; None: on DEFAULT_THREADS.

    Serving keeps the default limit, so that an image does not depend on its batch; training does not need that.
    """
    torch.set_num_threads(DEFAULT_THREADS if limit is None else min(limit, DEFAULT_THREADS))
