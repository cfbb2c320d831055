"""Pipelines of diffusers in half precision: files of a variant, and a VAE whose activations float16 cannot hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.devices import DEVICE_PRECISION
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.serving.registry import load_model

diffusers = pytest.importorskip("diffusers")
BLOCKS: dict[str, Any] = {"block_out_channels": (8, 16), "norm_num_groups": 8}


def unet(channels: int) -> Any:
    torch.manual_seed(0)
    kinds = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2, "layers_per_block": 1}
    network = diffusers.UNet2DModel(sample_size=8, in_channels=channels, num_class_embeds=4, **kinds, **BLOCKS)
    return diffusers.DDPMPipeline(network, diffusers.DDPMScheduler(num_train_timesteps=200))


def test_a_variant_in_half_precision_is_loaded(tmp_path: Path) -> None:
    unet(3).save_pretrained(tmp_path / "whole")
    unet(3).to(torch.float16).save_pretrained(tmp_path / "half", variant="fp16")
    assert not list(tmp_path.glob("half/unet/diffusion_pytorch_model.safetensors"))
    drawn = []
    for name in ("whole", "half"):
        model = load_model(describe_model(tmp_path / name), torch.device("cpu")).checkpoint
        drawn.append(draw_grid(model.denoiser, GridRequest(model.hash, (0,), (1.0,), 1, 7, "ddim", 2)).astype(int))
    assert np.abs(drawn[0] - drawn[1]).max() <= 8, "grey levels of 256: weights of 11 bits, two steps"


def test_a_network_that_takes_another_picture_as_a_condition_is_refused(tmp_path: Path) -> None:
    unet(6).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="out_channels must be at least in_channels, got 3 and 6"):
        describe_model(tmp_path)


@pytest.mark.parametrize("upcast", [True, False])
def test_a_vae_whose_activations_are_too_large_for_float16_decodes_in_float32(
    upcast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    size: dict[str, Any] = {"num_attention_heads": 2, "attention_head_dim": 8, "num_layers": 2, "sample_size": 8}
    transformer = diffusers.DiTTransformer2DModel(in_channels=4, out_channels=8, **size)
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    vae = diffusers.AutoencoderKL(sample_size=16, force_upcast=upcast, **kinds, **BLOCKS)
    with torch.no_grad():
        vae.decoder.conv_in.weight.mul_(3e4)  # a group norm follows, so float32 does not mind
        vae.decoder.conv_in.bias.mul_(3e4)
    diffusers.DiTPipeline(transformer, vae, diffusers.DDIMScheduler(clip_sample=False)).save_pretrained(tmp_path)
    request = GridRequest("", (0,), (1.0,), 2, 7, "ddim", 4)
    whole = draw_grid(load_model(describe_model(tmp_path), torch.device("cpu")).checkpoint.denoiser, request)
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float16)
    half = draw_grid(load_model(describe_model(tmp_path), torch.device("cpu")).checkpoint.denoiser, request)
    assert whole.max() > whole.min()
    assert half.max() > half.min(), "not black"
    assert np.abs(half.astype(int) - whole.astype(int)).mean() < np.abs(half.astype(int) - half.mean()).mean()
