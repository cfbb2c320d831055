import math

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from hypothesis import given
from hypothesis import strategies as st

from cfg_core.diffusion.schedule import DiscreteSchedule, Schedule, alpha_sigma
from cfg_core.diffusion.spacings import SPACINGS, edm, midpoint, trailing, uniform

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


@given(RANGES, st.integers(1, 60), st.sampled_from(["uniform", "midpoint", "edm"]))
def test_spacings_rise_within_the_schedules_range(schedule, steps, name):
    log_snrs = SPACINGS[name](schedule, steps)
    assert log_snrs.shape == (steps,)
    assert log_snrs.dtype == torch.float64
    assert bool((log_snrs.diff() > 0).all())
    assert log_snrs[0] >= schedule.log_snr_min - 1e-9
    assert log_snrs[-1] <= schedule.log_snr_max + 1e-9


def test_uniform_takes_both_ends_and_midpoint_neither():
    schedule = Schedule()
    assert uniform(schedule, 5)[[0, -1]].tolist() == pytest.approx([-20, 20], abs=1e-9)
    assert torch.allclose(schedule.u(uniform(schedule, 5)), torch.tensor([1, 0.75, 0.5, 0.25, 0], dtype=torch.float64))
    assert torch.allclose(schedule.u(midpoint(schedule, 4)), torch.tensor([7, 5, 3, 1], dtype=torch.float64) / 8)


@pytest.mark.parametrize(
    ("schedule", "ends"), [(Schedule(), (80.0, 0.002)), (Schedule(-6, 8), (math.e**3, math.e**-4))]
)
def test_edm_is_karras_formula(schedule, ends):
    i, n = torch.arange(9, dtype=torch.float64), 9
    sigma_max, sigma_min = ends
    sigmas = (sigma_max ** (1 / 7) + i / (n - 1) * (sigma_min ** (1 / 7) - sigma_max ** (1 / 7))) ** 7
    assert torch.allclose(torch.exp(-edm(schedule, n) / 2), sigmas, rtol=1e-12)


def test_discrete_log_snrs_are_diffusers():
    alphas_cumprod = DDIMScheduler(trained_betas=BETAS.tolist()).alphas_cumprod.double()
    schedule = DiscreteSchedule(BETAS)
    assert torch.allclose(schedule.log_snrs, torch.logit(alphas_cumprod), rtol=0, atol=2e-3)  # their table is float32
    assert torch.allclose(schedule.log_snrs[10:], torch.logit(alphas_cumprod)[10:], rtol=0, atol=1e-4)
    exact = torch.logit((1 - BETAS.double()).cumprod(0))
    assert torch.allclose(schedule.log_snrs, exact, rtol=0, atol=1e-11)
    assert (schedule.log_snr_max, schedule.log_snr_min) == (schedule.log_snrs[0], schedule.log_snrs[-1])
    assert schedule.log_snr(torch.tensor([0.0, 1.0])).tolist() == [schedule.log_snr_max, schedule.log_snr_min]


@pytest.mark.parametrize("steps", [1, 7, 20, 50, 333, 1000])
def test_trailing_is_diffusers_trailing(steps):
    theirs = DDIMScheduler(trained_betas=BETAS.tolist(), timestep_spacing="trailing")
    theirs.set_timesteps(steps)
    schedule = DiscreteSchedule(BETAS)
    assert torch.equal(trailing(schedule, steps), schedule.log_snrs[theirs.timesteps])


def test_trailing_sigmas_are_those_that_diffusers_multistep_solver_steps_over():
    theirs = DPMSolverMultistepScheduler(
        trained_betas=BETAS.tolist(), timestep_spacing="trailing", final_sigmas_type="zero"
    )
    theirs.set_timesteps(20)
    ours = torch.exp(-trailing(DiscreteSchedule(BETAS), 20) / 2)
    assert torch.allclose(ours, theirs.sigmas[:-1].double(), rtol=1e-4)


def test_trailing_refuses_a_continuous_schedule():
    with pytest.raises(ValueError, match="spacing needs a DiscreteSchedule, got Schedule"):
        trailing(Schedule(), 10)
