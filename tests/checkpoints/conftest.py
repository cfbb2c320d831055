"""Two tiny pipelines as diffusers saves them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch


def randomised(network: Any, seed: int) -> Any:
    """The network with noise added to every weight: before training, some are 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.fixture(scope="session")
def dit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny DiT with its autoencoder, saved as that of its authors is."""
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    from tests.checkpoints.tiny_pipelines import DIT, VAE

    torch.manual_seed(0)  # diffusers begins with torch's own random numbers, which depend on the tests before
    transformer = diffusers.DiTTransformer2DModel(**DIT, num_layers=2)
    vae = diffusers.AutoencoderKL(**VAE)
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    names = {label: f"thing {label}, another word for it" for label in range(1000)}
    pipeline = diffusers.DiTPipeline(randomised(transformer, 0), randomised(vae, 1), scheduler, id2label=names)
    folder = tmp_path_factory.mktemp("dit")
    pipeline.save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    (folder / "model_index.json").write_text(json.dumps({**index, "id2label": names}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny class-conditional UNet2D of three classes and ∅."""
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    from tests.checkpoints.tiny_pipelines import UNET

    torch.manual_seed(0)
    network = diffusers.UNet2DModel(**UNET)
    scheduler = diffusers.DDPMScheduler(num_train_timesteps=200, clip_sample=False)
    folder = tmp_path_factory.mktemp("unet")
    diffusers.DDPMPipeline(randomised(network, 2), scheduler).save_pretrained(folder)
    return folder
