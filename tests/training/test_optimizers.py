import pytest
import torch
from torch import nn

from cfg_core.networks.unet import UNet, UNetConfig
from cfg_core.training.optimizers import muon


def test_a_step_of_muon_is_a_near_orthogonal_matrix_of_the_size_of_an_adamw_step():
    torch.manual_seed(0)
    network = UNet(UNetConfig(1, 16, 4, widths=(16,), encoder=(1,), decoder=(1,)))
    torch.nn.init.normal_(network.out.weight)
    torch.nn.init.normal_(network.encoder[0][0].conv2.weight)
    optimizers, kernel = muon(network), network.encoder[0][0].conv1.weight
    before = kernel.detach().clone()
    network(torch.randn(8, 1, 16, 16), torch.zeros(8), torch.arange(8) % 5).square().mean().backward()
    optimizers.step(1e-3)
    change = (kernel.detach() - before * (1 - 1e-3 * 0.01)).permute(0, 2, 3, 1).flatten(1)  # (16, 3·3·16)
    singular = torch.linalg.svdvals(change.double()) / (1e-3 * 0.2 * (3 * 3 * 16) ** 0.5)
    assert 0.5 < singular.min() < singular.max() < 1.5, "Newton-Schulz iterations bring them near 1"
    assert kernel.grad is None


@pytest.mark.parametrize(
    ("layers", "taken"),
    [
        ([nn.Conv2d(1, 2, 1), nn.Conv2d(2, 3, 1), nn.Conv2d(3, 1, 1)], ["1.weight"]),
        ([nn.Conv2d(1, 2, 1), nn.Conv2d(2, 3, 1), nn.Flatten(), nn.Linear(3, 1)], ["1.weight"]),
        ([nn.Conv2d(1, 2, 1), nn.Conv2d(2, 1, 1)], []),
        ([nn.Flatten(), nn.Linear(1, 1)], []),
    ],
)
def test_muon_takes_the_kernels_between_the_first_and_the_last_layer(layers: list[nn.Module], taken: list[str]):
    network = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    optimizers = muon(network)
    network(torch.ones(1, 1, 1, 1)).sum().backward()
    optimizers.step(1e-3)
    moments = [name.removesuffix(".momentum_buffer") for name in optimizers.tensors() if "momentum_buffer" in name]
    assert moments == taken
