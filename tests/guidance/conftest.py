"""Denoisers that have every source of evaluations: a classifier and a weaker sibling beside the model."""

import pytest
import torch

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from tests.conftest import small_network


class Posterior(torch.nn.Module):
    """A random linear classifier of 8×8 pictures, less sure the noisier they are."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(64, 10).requires_grad_(False)

    def forward(self, z: torch.Tensor, log_snr: torch.Tensor) -> torch.Tensor:
        return self.head(z.flatten(1).sin()) * log_snr.sigmoid()[:, None]


@pytest.fixture
def guided_network(tiny_denoiser: NetworkDenoiser) -> NetworkDenoiser:
    torch.manual_seed(3)
    network, schedule, classes = tiny_denoiser.network, tiny_denoiser.schedule, tiny_denoiser.classes
    weaker = NetworkDenoiser(small_network(1), schedule, classes)
    return NetworkDenoiser(network, schedule, classes, classifier=Posterior(), weaker=weaker)


@pytest.fixture(params=["guided_network", "mixture"])
def equipped(request: pytest.FixtureRequest) -> Denoiser:
    found = request.getfixturevalue(request.param)
    return found.with_weaker(0.5) if request.param == "mixture" else found
