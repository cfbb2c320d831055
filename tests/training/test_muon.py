"""Batched Muon against the library's and against what it promises."""

import pytest
import torch
from torch import nn

from cfg_core.training.muon import UNIT_SCALE, Muon, orthogonal


def kernels() -> dict[str, nn.Parameter]:
    """Two of one shape and one of another, in channels-last memory."""
    shapes = {"a": (16, 32, 3, 3), "b": (16, 32, 3, 3), "c": (48, 16, 1, 1)}
    generator = torch.Generator().manual_seed(0)
    return {
        name: nn.Parameter(torch.randn(shape, generator=generator).contiguous(memory_format=torch.channels_last))
        for name, shape in shapes.items()
    }


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch before 2.9 has no Muon to compare with")
def test_its_steps_are_those_of_the_library() -> None:
    ours = kernels()
    matrices = {name: nn.Parameter(t.detach().permute(0, 2, 3, 1).flatten(1).clone()) for name, t in ours.items()}
    library = torch.optim.Muon(matrices.values(), lr=0.02, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    own, generator = Muon(ours), torch.Generator().manual_seed(1)
    before = {name: t.detach().clone() for name, t in ours.items()}
    for _ in range(3):
        for name, kernel in ours.items():
            kernel.grad = torch.randn(kernel.shape, generator=generator)
            matrices[name].grad = kernel.grad.permute(0, 2, 3, 1).flatten(1)
        own.step(torch.tensor(0.02))
        library.step()
    for name, kernel in ours.items():
        found, moved = (t.permute(0, 2, 3, 1).flatten(1) for t in (kernel.detach(), kernel.detach() - before[name]))
        assert (found - matrices[name].detach()).norm() < 0.02 * moved.norm(), "bfloat16 rounds both"
        momentum = library.state[matrices[name]]["momentum_buffer"]
        torch.testing.assert_close(own.tensors()[f"{name}.momentum_buffer"], momentum)


@pytest.mark.parametrize("shape", [(8, 16, 48), (8, 48, 16)])
def test_matrices_become_nearly_orthogonal_each_by_itself(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    matrices *= torch.logspace(-3, 3, 8)[:, None, None]
    found = orthogonal(matrices)
    singular = torch.linalg.svdvals(found.double())
    assert 0.5 < singular.min() < singular.max() < 1.5, "Newton-Schulz iterations bring them near 1"
    torch.testing.assert_close(orthogonal(matrices[2:3])[0], found[2], rtol=0.02, atol=0.02)


def test_unit_kernels_are_turned_by_one_angle_however_long_they_were() -> None:
    short = kernels()
    long = {name: nn.Parameter(100 * t.detach()) for name, t in short.items()}
    for each in (short, long):
        for kernel in each.values():
            kernel.grad = torch.ones_like(kernel).cumsum(1)
        Muon(each, unit=True).step(torch.tensor(0.01))
    for name, before in kernels().items():
        torch.testing.assert_close(short[name], long[name])
        row = before.detach() * len(before) ** 0.5 / before.detach().norm()
        step = (row - short[name].detach()).permute(0, 2, 3, 1).flatten(1) / (0.01 * UNIT_SCALE)
        assert 0.5 < torch.linalg.svdvals(step.double())[0] < 1.5
