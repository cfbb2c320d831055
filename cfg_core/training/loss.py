"""Algorithm 1 of the paper: joint training of the conditional and the unconditional model.

1. (x, c) from the data set
2. c ← ∅ with probability p_uncond, for each sample on its own           ``drop_labels``
3. λ from the schedule, ε ~ N(0, I), z = α x + σ ε                        ``stratified``, ``algorithm_1_losses``
4. a gradient step on w(λ) ‖v_θ(z, λ, c) − v‖²  with  v = α ε − σ x       ``velocity``, ``LOSS_WEIGHTS``

The paper's network predicts ε and its loss is ‖ε_θ − ε‖². Ours predicts v. With z given, ε = σ z + α v and
x = α z − σ v, so that ‖Δε‖² = α² ‖Δv‖² and ‖Δx‖² = σ² ‖Δv‖²: every usual loss is a weight of the v error.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from cfg_core.diffusion.schedule import alpha_sigma, per_sample

LossWeight = Callable[[Tensor, Tensor], Tensor]
"""(α, σ), each of any shape, to the weight w(λ) of that shape."""


LOSS_WEIGHTS: dict[str, LossWeight] = {
    "v": lambda alpha, sigma: torch.ones_like(alpha),
    "epsilon": lambda alpha, sigma: alpha**2,
    "min_snr": lambda alpha, sigma: torch.minimum(alpha**2, 5 * sigma**2),
}
"""The loss's name → w(λ): ``v`` is ‖Δv‖²; ``epsilon`` is ‖Δε‖² = α² ‖Δv‖², the paper's; ``min_snr`` is
min(α²/σ², 5) ‖Δx‖² = min(α², 5σ²) ‖Δv‖² (Hang et al., arXiv 2303.09556)."""


def drop_labels(labels: Tensor, null_label: int, p_uncond: float, generator: torch.Generator) -> Tensor:
    """Line 2: each label (B,) becomes ∅, the ``null_label``, independently with probability p_uncond in [0, 1]."""
    dropped = torch.rand(len(labels), generator=generator, device=generator.device) < p_uncond
    return torch.where(dropped, null_label, labels)


def stratified(count: int, generator: torch.Generator) -> Tensor:
    """Line 3: u (count,) for ``Schedule.log_snr``, one in each of ``count`` equal parts of [0, 1], shifted alike."""
    device = generator.device
    return (torch.arange(count, device=device) + torch.rand(1, generator=generator, device=device)) / count


def velocity(x: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """The target v = α ε − σ x (Salimans & Ho, arXiv 2202.00512), all (B, C, S, S) or broadcast to it."""
    return alpha * eps - sigma * x


def algorithm_1_losses(
    network: Callable[[Tensor, Tensor, Tensor], Tensor],
    x: Tensor,
    labels: Tensor,
    log_snr: Tensor,
    eps: Tensor,
    weight: LossWeight,
) -> Tensor:
    """Lines 3 and 4: the weighted squared error of each sample, (B,), on x's device.

    network: z (B, C, S, S), λ (B,) float32 and labels (B,) to v. x: images in [−1, 1], (B, C, S, S). labels: some of
    them dropped. log_snr: λ (B,), float64. eps: standard normal noise of x's shape.
    """
    alpha, sigma = (per_sample(c, x) for c in alpha_sigma(log_snr))
    v = network(alpha * x + sigma * eps, log_snr.float().to(x.device), labels)
    error = (v - velocity(x, eps, alpha, sigma)).square().mean((1, 2, 3))
    return error * weight(alpha, sigma).flatten()
