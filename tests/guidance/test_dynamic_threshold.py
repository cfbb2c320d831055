"""Dynamic thresholding against diffusers' scheduler, and where nothing is saturated plain guidance."""

import pytest
import torch

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.guidance.rules import rules
from tests.guidance.noisy import guided


def test_x_is_that_of_diffusers(guided_network):
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DDPMScheduler(
        thresholding=True, dynamic_thresholding_ratio=0.95, sample_max_value=1e6, num_train_timesteps=10
    )
    plain = guided(guided_network, "cfg", 8.0)[0].x
    found = guided(guided_network, "dynamic_threshold", 8.0, quantile=0.95)[0].x
    assert torch.allclose(found, scheduler._threshold_sample(plain), atol=1e-9)
    assert float(found.abs().max()) <= 1 < float(plain.abs().max())


def test_it_brings_no_more_than_the_quantile_to_the_bound(guided_network):
    saturated = guided(guided_network, "dynamic_threshold", 8.0, quantile=0.9)[0].x.flatten(1).abs() > 1 - 1e-9
    assert 0 < float(saturated.double().mean(1).max()) <= 0.1 + 1 / saturated.shape[1]


def test_a_sample_within_the_bound_is_left_as_it_is(guided_network):
    plain, found = (guided(guided_network, rule, 0.1)[0].x for rule in ("cfg", "dynamic_threshold"))
    quantile = plain.flatten(1).abs().quantile(0.995, dim=1)
    within = plain.flatten(1).abs().amax(1) <= 1
    assert bool((quantile > 1).any())
    assert torch.allclose(found[within], plain[within], atol=1e-12)


def test_latents_have_no_bound(guided_network):
    class Latents(type(guided_network)):
        @property
        def picture_shape(self):
            return (3, 64, 64)

    latents: Denoiser = Latents(guided_network.network, guided_network.schedule, guided_network.classes)
    assert "dynamic_threshold" not in rules(latents)
    assert "dynamic_threshold" in rules(guided_network)
