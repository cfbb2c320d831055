"""Tiny random pipelines in diffusers' format."""

from pathlib import Path
from typing import Any

import diffusers
import torch

DIT = {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 4, "out_channels": 8, "sample_size": 8}

VAE = {
    "block_out_channels": (8, 16),
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
    "norm_num_groups": 8,
    "sample_size": 16,
}

UNET = {
    "sample_size": 8,
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D",) * 2,
    "up_block_types": ("UpBlock2D",) * 2,
    "norm_num_groups": 8,
    "layers_per_block": 1,
    "num_class_embeds": 4,
}


def save_unet(folder: Path, variant: str | None = None, **changes: Any) -> Path:
    """A class-conditional UNet2D of three classes and ∅."""
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(**{**UNET, **changes})
    pipeline = diffusers.DDPMPipeline(network, diffusers.DDPMScheduler(num_train_timesteps=200))
    pipeline.save_pretrained(folder, variant=variant)
    return folder


def save_dit(folder: Path, hot: float = 1.0, **vae: Any) -> Path:
    """A DiT with its autoencoder; hot: a factor on the decoder's first layer, whose output a group norm divides out."""
    torch.manual_seed(0)
    transformer = diffusers.DiTTransformer2DModel(**DIT, num_layers=1)
    autoencoder = diffusers.AutoencoderKL(**VAE, **vae)
    with torch.no_grad():
        for parameter in autoencoder.decoder.conv_in.parameters():
            parameter.mul_(hot)
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    diffusers.DiTPipeline(transformer, autoencoder, scheduler).save_pretrained(folder)
    return folder
