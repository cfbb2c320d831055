"""Loading and sampling a pipeline of diffusers' with our code, and with diffusers' own scheduler."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import LoadedModel
from cfg_core.sampling.loop import begin, sample
from cfg_core.serving.registry import load_model

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")

STEPS = 10

LABELS = [3, 999, 0, 207]


def loaded(folder: Path) -> LoadedModel:
    return load_model(describe_model(folder), torch.device("cpu")).checkpoint


def drawn(checkpoint: LoadedModel, z: Tensor, labels: list[int], w: float, **options: Any) -> Tensor:
    job = begin(checkpoint.denoiser, lambda step: z, torch.tensor(labels), torch.full((len(z),), w), **options)
    return sample(checkpoint.denoiser, job)


def with_scheduler(folder: Path, tmp_path: Path, **settings: Any) -> Path:
    """A copy of a pipeline, with these settings in its scheduler's config."""
    copy = shutil.copytree(folder, tmp_path / "other")
    config_file = copy / "scheduler" / "scheduler_config.json"
    config_file.write_text(
        json.dumps({**json.loads(config_file.read_text(encoding="utf-8")), **settings}), encoding="utf-8"
    )
    return copy


def ours_and_theirs(unet: Path, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What we draw with a UNet2D, and what the loop of diffusers' DDIM does, its table in that precision too."""
    network = diffusers.UNet2DModel.from_pretrained(unet, subfolder="unet", torch_dtype=dtype)
    scheduler = diffusers.DDIMScheduler.from_pretrained(unet, subfolder="scheduler")
    scheduler.alphas_cumprod = (1 - scheduler.betas.to(dtype)).cumprod(0)
    scheduler.set_timesteps(STEPS)
    start = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(3)).to(dtype)
    z, labels = start, torch.tensor([0, 1, 2])
    with torch.inference_mode():
        for t in scheduler.timesteps:
            conditional, unconditional = (network(z, t, class_labels=c).sample for c in (labels, torch.full((3,), 3)))
            z = scheduler.step(unconditional + 2.5 * (conditional - unconditional), t, z).prev_sample
    return drawn(loaded(unet), start, [0, 1, 2], 1.5, sampler="ddim", steps=STEPS), z
