"""Networks of diffusers' under our rules and samplers, against diffusers: same latents, same scale, same image."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cfg_core.checkpoints import diffusers_denoisers
from cfg_core.grids.request import GridRequest
from cfg_core.guidance.rules import rules
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry
from tests.checkpoints.diffusers_pipelines import (
    LABELS,
    STEPS,
    diffusers,
    drawn,
    loaded,
    ours_and_theirs,
    with_scheduler,
)


@pytest.mark.parametrize(("scale", "clipped"), [(1.5, False), (4.0, False), (4.0, True)])
def test_a_dit_draws_what_its_own_pipeline_draws(dit: Path, tmp_path: Path, scale: float, clipped: bool) -> None:
    dit = with_scheduler(dit, tmp_path, clip_sample=clipped)
    pipeline = diffusers.DiTPipeline.from_pretrained(dit, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(0)
    theirs = pipeline(LABELS, guidance_scale=scale, generator=generator, num_inference_steps=STEPS, output_type="pt")
    z = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    checkpoint = loaded(dit)
    latents = drawn(checkpoint, z, LABELS, scale - 1, sampler="ddim", steps=STEPS)
    ours = (checkpoint.denoiser.pictures(latents) / 2 + 0.5).clamp(0, 1)
    assert ours.shape == (4, 3, 16, 16) == (4, *checkpoint.denoiser.picture_shape)
    assert torch.allclose(ours, theirs.images, atol=1e-4)


def test_latents_decoded_in_batches_equal_those_decoded_all_at_once(dit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser, counts = loaded(dit).denoiser, []
    latents = torch.randn(10, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    decoder = denoiser._vae.decoder.forward
    monkeypatch.setattr(denoiser._vae.decoder, "forward", lambda z, *rest: counts.append(len(z)) or decoder(z, *rest))
    few = denoiser.pictures(latents)
    assert counts == [4, 4, 2]
    monkeypatch.setattr(diffusers_denoisers, "DECODED", 10)
    assert torch.allclose(few, denoiser.pictures(latents), atol=1e-5)
    assert counts[3:] == [10]


def sample_as_its_authors_do(folder: Path, z: Tensor, labels: list[int], scale: float, channels: int | None) -> Tensor:
    """Its authors' loop (forward_with_cfg of their code): guidance on some channels, the rest conditional."""
    network = diffusers.DiTTransformer2DModel.from_pretrained(folder, subfolder="transformer")
    scheduler = diffusers.DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(STEPS)
    c, null = torch.tensor(labels), torch.full((len(labels),), 1000)
    with torch.inference_mode():
        for t in scheduler.timesteps:
            at = t.expand(2 * len(z))
            predicted = network(torch.cat([z, z]), timestep=at, class_labels=torch.cat([c, null])).sample[:, :4]
            conditional, unconditional = predicted.chunk(2)
            eps = conditional.clone()
            guided = unconditional + scale * (conditional - unconditional)
            eps[:, :channels] = guided[:, :channels]
            z = scheduler.step(eps, t, z).prev_sample
    return z


@pytest.mark.parametrize(("rule", "channels"), [("cfg", None), ("three_channels", 3)])
def test_guidance_is_on_all_latent_channels_or_on_three(dit: Path, rule: str, channels: int | None) -> None:
    z = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    ours = drawn(loaded(dit), z, LABELS, 2.0, sampler="ddim", steps=STEPS, rule=rule)
    assert torch.allclose(ours, sample_as_its_authors_do(dit, z, LABELS, 3.0, channels), atol=1e-4)


def test_the_two_rules_differ_and_only_a_latent_model_has_both(dit: Path, unet: Path) -> None:
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    one, other = (
        drawn(loaded(dit), z, [5], 3.0, sampler="ddim", steps=STEPS, rule=r) for r in ("cfg", "three_channels")
    )
    assert float((one - other).abs().max()) > 1e-2
    assert "three_channels" in rules(loaded(dit).denoiser)
    assert "three_channels" not in rules(loaded(unet).denoiser)


def test_the_null_class_is_the_last_embedding(dit: Path, unet: Path) -> None:
    assert loaded(dit).denoiser.null_label == 1000
    assert loaded(unet).denoiser.null_label == 3
    z = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    unconditional = [drawn(loaded(dit), z, labels, -1.0, sampler="ddim", steps=4) for labels in ([1, 2], [3, 4])]
    assert torch.equal(*unconditional), "at w = −1 the class has no say"


def test_a_unet_draws_what_diffusers_scheduler_draws_with_it(unet: Path) -> None:
    assert torch.allclose(*ours_and_theirs(unet, torch.float32), atol=1e-4)


@pytest.fixture
def engine(dit: Path) -> Iterator[Engine]:
    engine = Engine(Model(loaded(dit)))
    yield engine
    engine.close()


def test_the_engine_draws_decoded_images(engine: Engine, dit: Path) -> None:
    request = GridRequest(engine.checkpoint.hash, (7, 8), w=(0.0, 3.0), samples=2, steps=3, rule="three_channels")
    assert engine.draw(engine.check(request)).shape == (2, 2, 2, 16, 16, 3)
    assert ModelRegistry(engine).open(engine.checkpoint.hash) is engine.checkpoint
