"""Noise as a pure function of (seed, sample, step), independent of batch and device."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

Noise = Callable[[int], Tensor]
"""step → standard normal noise (B, …). Step 0 is where a sample starts, step t what is added after evaluation t."""


def noise(seed: int, sample: int, step: int, shape: Sequence[int]) -> Tensor:
    """Standard normal float32 noise of that shape, on the CPU, from the Philox counter (Salmon et al. 2011).

    seed keys the generator, (sample, step) are words of its 256-bit counter, so streams never overlap.
    """
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, step, sample]))
    return torch.from_numpy(generator.standard_normal(tuple(shape), dtype=np.float32))


def grid_noise(seed: int, samples: Sequence[int], shape: Sequence[int], device: torch.device) -> Noise:
    """The noise of these samples of one seed: step → (len(samples), *shape), on the device."""
    return lambda step: torch.stack([noise(seed, sample, step, shape) for sample in samples]).to(device)
