"""Langevin correction: what its steps converge to, and how many evaluations it adds."""

from dataclasses import replace

import pytest
import torch

from cfg_core.diffusion.noise import noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.sampling.langevin import STEP, corrected, langevin
from cfg_core.sampling.loop import begin, sample
from cfg_core.sampling.samplers import SAMPLERS


def test_langevin_steps_at_one_level_have_the_variance_of_their_recursion():
    """Of N(0, v) the steps z − δz/v + √(2δ)n settle at the variance v/(1 − δ/2v)."""
    log_snr, v = torch.full((40_000,), 0.5, dtype=torch.float64), 0.8
    sigma = float(torch.sigmoid(-log_snr[0]).sqrt())
    generator, z = torch.Generator().manual_seed(0), torch.zeros(40_000, 1, dtype=torch.float64)
    for _ in range(60):
        prediction = Prediction(log_snr, z, sigma * z / v)
        z = langevin(z, prediction, torch.randn(z.shape, generator=generator, dtype=torch.float64))
    assert float(z.var()) == pytest.approx(v / (1 - STEP * sigma**2 / (2 * v)), rel=0.02)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("corrections", [0, 3])
def test_a_corrected_sampler_takes_the_evaluations_that_it_says(figure_2, sampler, corrections):
    chosen = corrected(SAMPLERS[sampler], corrections)
    drawn = begin(figure_2, lambda step: noise(0, 0, step, (4, 2)), torch.zeros(4, dtype=torch.long), torch.ones(4))
    job = replace(drawn, sampler=chosen)
    z = sample(figure_2, job)
    assert job.state.evaluations == chosen.evaluations(len(job.state.log_snrs))
    assert torch.equal(z, job.state.x)
