import pytest
import torch

from cfg_core.training.ema import ema_decay


@pytest.mark.parametrize("width", [0.05, 0.1, 0.25])
def test_the_ema_averages_over_its_share_of_the_run(width):
    steps = 2000
    weights, kept = [], 1.0
    for step in range(steps, 0, -1):
        decay = ema_decay(width, step)
        weights.append(kept * (1 - decay))
        kept *= decay
    profile = torch.tensor(weights[::-1], dtype=torch.float64)
    at = torch.arange(1, steps + 1, dtype=torch.float64) / steps
    mean = (profile * at).sum()
    assert (profile * (at - mean) ** 2).sum().sqrt().item() == pytest.approx(width, rel=0.05)
