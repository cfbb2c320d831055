"""The training loss of the paper's Algorithm 1."""

from collections.abc import Callable

import torch
from torch import Tensor

LossWeight = Callable[[Tensor, Tensor], Tensor]


LOSS_WEIGHTS: dict[str, LossWeight] = {
    "v": lambda alpha, sigma: torch.ones_like(alpha),
    "epsilon": lambda alpha, sigma: alpha**2,
    "min_snr": lambda alpha, sigma: torch.minimum(alpha**2, 5 * sigma**2),
}
"""(α, σ) → what ‖Δv‖² is multiplied with. ``epsilon`` is Algorithm 1's loss, since ‖Δε‖² = α²‖Δv‖²; ``min_snr`` is
min(α²/σ², 5) ‖Δx‖² (Hang et al., arXiv 2303.09556), since ‖Δx‖² = σ²‖Δv‖²."""


def drop_labels(labels: Tensor, null_label: int, p_uncond: float, generator: torch.Generator) -> Tensor:
    """Algorithm 1, line 3: each label (B,) becomes ∅ on its own with probability p_uncond."""
    return torch.where(torch.rand(len(labels), generator=generator) < p_uncond, null_label, labels)
