"""CFG++ in DDIM: the paper's step by hand, and plain guidance of another strength at every step."""

import math

import pytest
import torch

from cfg_core.sampling.loop import begin, generate
from cfg_core.sampling.samplers import State, ddim
from tests.guidance.noisy import COUNT, asked, both, guided, noisy

AT, NEXT, KAPPA = 0.5, 2.0, 0.05


def stepped(prediction, z):
    log_snrs = torch.tensor([AT, NEXT, 20.0], dtype=torch.float64)
    return ddim(State(z, log_snrs, lambda step: z), prediction).z


def at_one_level(denoiser, monkeypatch):
    from tests.guidance import noisy as module

    z, _, labels = noisy(denoiser)
    monkeypatch.setattr(module, "noisy", lambda denoiser: (z, torch.full((COUNT,), AT, dtype=torch.float64), labels))
    return z


@pytest.mark.parametrize("w", [-1.0, 0.0, 3.0, 8.0])
def test_a_step_of_ddim_is_that_of_plain_guidance_of_strength_mu_over_1_minus_exp(equipped, monkeypatch, w):
    z = at_one_level(equipped, monkeypatch)
    scale = KAPPA * (1 + w) / (1 - math.exp((AT - NEXT) / 2))
    plus, plain = guided(equipped, "cfg_plus_plus", w, mu_per_scale=KAPPA)[0], guided(equipped, "cfg", scale - 1)[0]
    assert torch.allclose(stepped(plus, z), stepped(plain, z), atol=1e-9)
    (x, x_unconditional), (_, eps_unconditional) = both(equipped, "x"), both(equipped)
    mu, alpha, sigma = KAPPA * (1 + w), (1 / (1 + math.exp(-NEXT))) ** 0.5, (1 / (1 + math.exp(NEXT))) ** 0.5
    by_hand = alpha * ((1 - mu) * x_unconditional + mu * x) + sigma * eps_unconditional
    assert torch.allclose(stepped(plus, z), by_hand, atol=1e-9)


def test_it_never_goes_beyond_the_conditional_prediction(equipped):
    assert torch.allclose(
        guided(equipped, "cfg_plus_plus", 8.0, mu_per_scale=1.0)[0].x, both(equipped, "x")[0], atol=1e-12
    )


def test_a_given_mu_guides_harder_in_more_steps(figure_2):
    noise = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def sure(steps):
        w = torch.full((200,), 3.0, dtype=torch.float64)
        job = begin(
            figure_2, lambda step: noise, torch.zeros(200).long(), w, sampler="ddim", steps=steps, rule="cfg_plus_plus"
        )
        *_, (state, _) = generate(figure_2, job)
        return float(figure_2.log_class_posterior(state.z, torch.full((200,), 20.0))[:, 0].exp().mean())

    assert sure(10) + 0.05 < sure(100)


def test_the_conditional_prediction_is_not_computed_at_minus_1(equipped, monkeypatch):
    for w, expected in ((-1.0, (0, COUNT)), (0.0, (COUNT, COUNT))):
        assert asked(equipped, monkeypatch, lambda w=w: guided(equipped, "cfg_plus_plus", w)) == expected
