import pytest
import torch

from cfg_core.training.ema import begin_averages, ema_decay, interpolate, shares, update_averages


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


def test_an_average_moves_towards_the_weights_by_its_share_of_each_step():
    averages = begin_averages({"a": torch.tensor([0.0, 4.0])}, (0.1, 0.05))
    for step in (1, 2, 3):
        update_averages(averages, {"a": torch.tensor([1.0, 8.0])}, shares((0.1, 0.05), step))
    for width, average in averages.items():
        left = ema_decay(width, 1) * ema_decay(width, 2) * ema_decay(width, 3)
        torch.testing.assert_close(average["a"], torch.tensor([1 - left, 8 - 4 * left]))


def test_a_gpu_interpolates_as_a_cpu_does():
    tensors, ends = [torch.randn(3, 2), torch.randn(5)], [torch.randn(3, 2), torch.randn(5)]
    expected = torch._foreach_lerp(tensors, ends, 0.125)
    interpolate(tensors, ends, torch.tensor(0.125))
    for found, other in zip(tensors, expected, strict=True):
        torch.testing.assert_close(found, other)
