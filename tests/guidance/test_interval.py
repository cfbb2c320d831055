"""Guidance in a limited interval of λ: equal to its two limits to the bit, and the half it saves is not computed."""

import pytest
import torch

from cfg_core.diffusion.noise import grid_noise
from cfg_core.guidance.guide import guide
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.loop import begin, sample

W = torch.tensor([-1.0, -0.5, 0.0, 0.1, 1.0, 4.0])
EVERYWHERE, NOWHERE = {"log_snr_low": -25, "log_snr_high": 25}, {"log_snr_low": 5, "log_snr_high": -5}


def drawn(denoiser, w, sampler, rule, parameters=None):
    noise = grid_noise(4, range(6), denoiser.shape, denoiser.device)
    labels = torch.arange(6) % len(denoiser.classes)
    job = begin(denoiser, noise, labels, w, sampler=sampler, rule=rule, parameters=parameters, steps=5)
    return sample(denoiser, job)


@pytest.fixture(params=["tiny_denoiser", "mixture"])
def denoiser(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "ancestral"])
def test_over_the_whole_schedule_it_is_cfg_to_the_bit(denoiser, sampler):
    assert torch.equal(drawn(denoiser, W, sampler, "interval", EVERYWHERE), drawn(denoiser, W, sampler, "cfg"))


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "ancestral"])
def test_an_empty_interval_is_the_conditional_model_to_the_bit(denoiser, sampler):
    conditional = drawn(denoiser, torch.zeros(6), sampler, "cfg")
    assert torch.equal(drawn(denoiser, W, sampler, "interval", NOWHERE), conditional)


def test_its_ends_belong_to_it(denoiser):
    z, labels = torch.randn(4, *denoiser.shape, generator=torch.Generator().manual_seed(0)), torch.zeros(4).long()
    log_snr, w = torch.tensor([-1.25, -1.0, 2.5, 2.75], dtype=torch.float64), torch.full((4,), 2.0)
    found = guide(denoiser, RULES["interval"], z, log_snr, labels, w, {"log_snr_low": -1.0, "log_snr_high": 2.5}).x
    guided, conditional = guide(denoiser, RULES["cfg"], z, log_snr, labels, w).x, denoiser(z, log_snr, labels).x
    assert torch.equal(found, torch.cat([conditional[:1], guided[1:3], conditional[3:]]))
    assert not torch.equal(guided[0], conditional[0])


def test_outside_it_the_unconditional_prediction_is_not_computed(denoiser, monkeypatch):
    asked, predict = [], denoiser.predict
    monkeypatch.setattr(denoiser, "predict", lambda *inputs: asked.append(inputs[2]) or predict(*inputs))
    log_snr = torch.tensor([-8.0, -0.5, 0.0, 2.0, 3.0, 9.0], dtype=torch.float64)  # three of them inside
    z, labels = torch.zeros(6, *denoiser.shape), torch.zeros(6, dtype=torch.long)
    for w, conditional, unconditional in [(2.0, 6, 3), (0.0, 6, 0), (-1.0, 3, 3)]:
        guide(denoiser, RULES["interval"], z, log_snr, labels, torch.full((6,), w))
        nulls = int((asked[-1] == denoiser.null_label).sum())
        assert (len(asked[-1]) - nulls, nulls) == (conditional, unconditional)
    assert len(asked) == 3
