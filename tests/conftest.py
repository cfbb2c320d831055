"""Fixtures that many tests share: a small network denoiser and exact mixtures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: threads that spin take the cores of other workers
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy, whose threads spin as well

import pytest
import torch

from cfg_core.checkpoints.format import Checkpoint, CheckpointConfig
from cfg_core.devices import set_cpu_threads
from cfg_core.diffusion.mixture import MixtureDenoiser, three_gaussians
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.unet import UNet, UNetConfig
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model

set_cpu_threads()

CONFIG = {"channels": 1, "size": 8, "num_classes": 10, "widths": (16, 32), "encoder": (1, 1), "decoder": (1, 1)}


def small_network(seed: int = 0, **changes: object) -> UNet:
    """A small U-Net whose weights are all random: a fresh one predicts 0, whatever it is asked."""
    network = UNet(UNetConfig(**{**CONFIG, "embedding": 32, **changes}))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            scale = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.fixture(autouse=True)
def same_threads() -> None:
    """Commands that train take every thread there is; each test begins with as many as the page takes."""
    set_cpu_threads()


@contextmanager
def served(engine: Engine, **options: Any) -> Iterator[tuple[str, Any]]:
    """The page over an engine, served on this machine: its address, and its blocks. options: those of ``build``."""
    from cfg_core.serving.registry import ModelRegistry
    from cfg_core.ui.page import build, serve

    page = build(options.pop("models", None) or ModelRegistry(engine), **options)
    yield serve(page, quiet=True, server_name="127.0.0.1"), page
    page.close(verbose=False)


@pytest.fixture
def tiny_denoiser() -> NetworkDenoiser:
    return NetworkDenoiser(small_network(), Schedule(), tuple(map(str, range(10))))


@pytest.fixture
def figure_2() -> MixtureDenoiser:
    return three_gaussians()


@pytest.fixture
def mixture() -> MixtureDenoiser:
    """Two classes of two components in three dimensions, nothing about them symmetric."""
    generator = torch.Generator().manual_seed(5)
    means = torch.randn(2, 2, 3, generator=generator, dtype=torch.float64)
    factors = torch.randn(2, 2, 3, 3, generator=generator, dtype=torch.float64)
    covariances = 0.2 * factors @ factors.mT + 0.05 * torch.eye(3, dtype=torch.float64)
    return MixtureDenoiser(means, covariances, [0.3, 0.7], [[0.6, 0.4], [0.25, 0.75]])


@pytest.fixture
def gaussian() -> MixtureDenoiser:
    """One Gaussian on a line, mean 0.7 and variance 0.3²: its probability flow has a closed form."""
    return MixtureDenoiser([[[0.7]]], [[0.3**2]])


@pytest.fixture(scope="session")
def tiny_checkpoint() -> Checkpoint:
    """A tiny denoiser as an engine takes it; shared by all tests, so leave it as it is."""
    network, classes = small_network(), tuple(map(str, range(10)))
    config = CheckpointConfig(network.config, Schedule(), "v", "v", classes, "synthetic", "none", 0.1, 0, "none")
    return Checkpoint(NetworkDenoiser(network, Schedule(), classes), config, "0123456789ab")


@pytest.fixture
def tiny_engine(tiny_checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(Model(tiny_checkpoint))
    yield engine
    engine.close()
