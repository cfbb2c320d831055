import math

import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given
from hypothesis import strategies as st

from cfg_core.diffusion.schedule import DiscreteSchedule, Schedule, alpha_sigma

BETAS = torch.linspace(1e-4, 0.02, 1000)
RANGES = st.tuples(st.floats(-20, 15), st.floats(0.5, 15)).map(lambda r: Schedule(r[0], r[0] + r[1]))


def test_alpha_and_sigma_are_the_roots_of_the_sigmoids():
    alpha, sigma = alpha_sigma(torch.tensor([-20.0, 0.0, 20.0], dtype=torch.float64))
    assert torch.allclose(alpha**2 + sigma**2, torch.ones(3, dtype=torch.float64), rtol=1e-15)
    assert torch.allclose(2 * (alpha / sigma).log(), torch.tensor([-20.0, 0.0, 20.0], dtype=torch.float64))
    assert sigma[2] == pytest.approx(math.exp(-10), rel=1e-8)  # not 0, nor rounded


@given(RANGES, st.floats(0, 1))
def test_u_inverts_log_snr(schedule, u):
    log_snr = schedule.log_snr(torch.tensor(u))
    assert float(schedule.u(log_snr)) == pytest.approx(float(torch.tensor(u)), abs=1e-9)


@given(RANGES)
def test_u_0_is_the_clean_and_u_1_the_noisy_end(schedule):
    ends = schedule.log_snr(torch.tensor([0.0, 1.0]))
    assert ends.tolist() == pytest.approx([schedule.log_snr_max, schedule.log_snr_min], abs=1e-9)


def test_log_snr_follows_the_papers_formula():
    b = math.atan(math.exp(-10))
    a = math.atan(math.exp(10)) - b
    assert float(Schedule().log_snr(torch.tensor(0.25))) == pytest.approx(-2 * math.log(math.tan(0.25 * a + b)))
    assert Schedule().log_snr(torch.tensor(0.5)).abs() < 1e-9


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, -2.0), (math.nan, 1.0), (0.0, math.inf)])
def test_ends_that_are_no_range_are_refused(ends):
    with pytest.raises(ValueError, match="log_snr_min must be finite and below log_snr_max, got"):
        Schedule(*ends)


def test_discrete_log_snrs_are_diffusers():
    alphas_cumprod = DDIMScheduler(trained_betas=BETAS.tolist()).alphas_cumprod.double()
    schedule = DiscreteSchedule(BETAS)
    assert torch.allclose(schedule.log_snrs, torch.logit(alphas_cumprod), rtol=0, atol=2e-3)  # their table is float32
    assert torch.allclose(schedule.log_snrs[10:], torch.logit(alphas_cumprod)[10:], rtol=0, atol=1e-4)
    exact = torch.logit((1 - BETAS.double()).cumprod(0))
    assert torch.allclose(schedule.log_snrs, exact, rtol=0, atol=1e-11)
    assert (schedule.log_snr_max, schedule.log_snr_min) == (schedule.log_snrs[0], schedule.log_snrs[-1])
    assert schedule.log_snr(torch.tensor([0.0, 1.0])).tolist() == [schedule.log_snr_max, schedule.log_snr_min]
