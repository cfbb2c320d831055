import math

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from hypothesis import given
from hypothesis import strategies as st

from cfg_core.diffusion.schedule import DiscreteSchedule, Schedule
from cfg_core.diffusion.spacings import SPACINGS, edm, midpoint, trailing, uniform

BETAS = torch.linspace(1e-4, 0.02, 1000)
RANGES = st.tuples(st.floats(-20, 15), st.floats(0.5, 15)).map(lambda r: Schedule(r[0], r[0] + r[1]))


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


def had(name, schedule, steps):
    """The λ of so many steps, or the sentence that refuses them."""
    try:
        return SPACINGS[name](schedule, steps)
    except ValueError as refusal:
        return str(refusal)


@pytest.mark.parametrize("name", SPACINGS)
@pytest.mark.parametrize("offset", [0, 1])
def test_a_discrete_schedule_has_only_so_many_steps(name, offset):
    """Rising λ for as many steps as it has them, and a sentence that ends with the number for more."""
    schedule = DiscreteSchedule(torch.linspace(0.01, 0.3, 10), offset)
    found = {steps: had(name, schedule, steps) for steps in range(1, 40)}
    refused = [steps for steps, each in found.items() if isinstance(each, str)]
    assert set(refused) >= set(range(11, 40))
    assert not set(refused) & set(range(1, 9))
    for steps, each in found.items():
        if steps in refused:
            assert each.startswith("steps must be at most ")
            assert each.endswith(f"got {steps}")
        else:
            assert each.shape == (steps,)
            assert bool((each.diff() > 0).all())


@pytest.mark.parametrize("name", ["uniform", "trailing", "leading"])
def test_one_step_by_timesteps_is_at_the_noisiest(name):
    schedule = DiscreteSchedule(BETAS)
    assert SPACINGS[name](schedule, 1).tolist() == [schedule.log_snr_min]


@given(RANGES, st.integers(1, 60), st.floats(1, 20))
def test_edm_rises_for_every_rho(schedule, steps, rho):
    log_snrs = SPACINGS["edm"](schedule, steps, rho=rho)
    assert bool((log_snrs.diff() > 0).all())
    assert log_snrs[0] >= schedule.log_snr_min - 1e-9
    assert log_snrs[-1] <= schedule.log_snr_max + 1e-9
