"""Weighted particles: the weight against its differential equation, resampling, and what becomes of company."""

import math
from dataclasses import replace

import pytest
import torch

from cfg_core.diffusion.noise import noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.sampling.feynman_kac import effective_number, resampled
from cfg_core.sampling.langevin import corrected
from cfg_core.sampling.loop import begin, generate, sample
from cfg_core.sampling.samplers import SAMPLERS, State

W = 3.0


def job(denoiser, count, sampler="dpmpp_2m_sde", steps=20, langevin=0):
    w = torch.full((count,), W, dtype=torch.float64)
    begun = begin(
        denoiser,
        lambda step: noise(1, 0, step, (count, 2)).double(),
        torch.zeros(count).long(),
        w,
        sampler=sampler,
        steps=steps,
    )
    return replace(begun, sampler=resampled(corrected(begun.sampler, langevin), W))


def test_the_weight_makes_up_for_what_the_guided_diffusion_leaves_of_the_tilted_densities(figure_2):
    """∂ log π_λ of the densities themselves, less what the reverse diffusion along their score does to it, is the rate
    up to a constant: both by finite differences and autograd, at several z of one λ."""
    at, h = -0.5, 1e-4
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(6, 2, generator=generator, dtype=torch.float64).requires_grad_()
    labels = torch.zeros(6, dtype=torch.long)

    def log_density(log_snr):
        return figure_2.log_tilted(z, labels, W, torch.full((6,), log_snr, dtype=torch.float64))

    (score,) = torch.autograd.grad(log_density(at).sum(), z, create_graph=True)
    laplacian = sum(torch.autograd.grad(score[:, n].sum(), z, retain_graph=True)[0][:, n] for n in (0, 1))
    slope = (log_density(at + h) - log_density(at - h)) / (2 * h)
    variance = 1 / (1 + math.exp(at))  # σ²; dz = (z/2 + s) σ² dλ + σ √dλ n, as α falls by σ²/2 a unit of λ
    drift_divergence = variance * (1 + laplacian)
    along = (variance * (z / 2 + score) * score).sum(1)
    by_diffusion = -drift_divergence - along + variance / 2 * (laplacian + (score**2).sum(1))
    left = (slope - by_diffusion).detach()
    conditional, unconditional = figure_2.pair(z.detach(), torch.full((6,), at, dtype=torch.float64), labels)
    rate = W * (1 + W) / 2 * ((conditional.eps - unconditional.eps) ** 2).sum(1)
    assert torch.allclose(left - left.mean(), rate - rate.mean(), atol=1e-5)
    assert float(rate.std()) > 0.1


def test_the_effective_number_is_that_of_equal_weights():
    assert effective_number(torch.zeros(5, dtype=torch.float64)) == pytest.approx(5)
    assert effective_number(torch.tensor([0.0, 0.0, -1e9], dtype=torch.float64)) == pytest.approx(2)


def test_particles_are_drawn_anew_in_proportion_to_their_weights():
    """Two steps of one λ apart: the weights are those of the rates, and each particle is kept as often as it weighs."""
    log_snrs = torch.tensor([0.0, 1.0], dtype=torch.float64)
    distances = torch.tensor([0.0, 0.0, 0.0, 0.4], dtype=torch.float64)
    z = torch.arange(4, dtype=torch.float64)[:, None]

    def prediction(state):
        zero = torch.zeros_like(state.z)
        both = {
            "conditional": Prediction(state.log_snr, zero, distances[:, None]),
            "unconditional": Prediction(state.log_snr, zero, zero),
        }
        return Prediction(state.log_snr, state.z, zero, both)

    sampler = resampled(
        replace(
            SAMPLERS["ddim"],
            advance=lambda state, p: replace(state, z=p.x, at=state.at + 1, evaluations=state.evaluations + 1),
        ),
        W,
    )
    state = State(z, log_snrs, lambda step: torch.zeros(4, 1))
    for _ in range(2):
        state = sampler.advance(state, prediction(state))
    weights = (6 * distances**2).exp() / (6 * distances**2).exp().sum()
    kept = torch.stack([(state.z == n).sum() for n in range(4)])
    assert bool(((kept - 4 * weights).abs() < 1).all())
    assert state.memory.fewest == pytest.approx(float(1 / (weights**2).sum()))


def test_it_makes_the_sampler_no_dearer_and_leaves_w_0_as_it_is(figure_2):
    with_particles, plain = job(figure_2, 50), job(figure_2, 50)
    plain.sampler = SAMPLERS["dpmpp_2m_sde"]
    assert with_particles.sampler.evaluations(20) == sum(1 for _ in generate(figure_2, with_particles))
    still = job(figure_2, 50)
    still.sampler, still.w = resampled(SAMPLERS["dpmpp_2m_sde"], 0.0), torch.zeros(50, dtype=torch.float64)
    plain.w = still.w
    assert torch.equal(sample(figure_2, still).sort(0).values, sample(figure_2, plain).sort(0).values)


@pytest.mark.parametrize("langevin", [0, 2])
def test_langevin_steps_count_as_evaluations_and_leave_the_weights_alone(figure_2, langevin):
    begun = job(figure_2, 50, langevin=langevin)
    states = [state for state, _ in generate(figure_2, begun)]
    assert len(states) == 20 * (1 + langevin)
    assert 1 <= states[-1].memory.fewest < 50
