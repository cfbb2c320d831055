import pytest
import torch

from cfg_core.networks.unet import UNet, UNetConfig
from cfg_core.training.optimizers import muon

HAS_MUON = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="Muon needs torch 2.9")


@HAS_MUON
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
