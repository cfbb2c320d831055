"""η, v and ρ: defaults that change nothing, values that reach the equations, steps that a spacing does not have."""

from functools import partial

import pytest
import torch

from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.spacings import edm
from cfg_core.sampling.loop import begin, sample
from cfg_core.sampling.samplers import SAMPLERS, ancestral, ddim, dpm_solver_2m, start

CPU = torch.device("cpu")
NOISE = grid_noise(0, range(3), (2,), CPU)
LABELS = torch.zeros(3, dtype=torch.long)


def drawn(denoiser, sampler, **parameters):
    return sample(
        denoiser, begin(denoiser, NOISE, LABELS, torch.ones(3), sampler=sampler, steps=6, parameters=parameters)
    )


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_defaults_are_the_sampler_as_it_stands_in_the_table(figure_2, name):
    given = {parameter.name: parameter.default for parameter in SAMPLERS[name].parameters}
    assert torch.equal(drawn(figure_2, name, **given), drawn(figure_2, name))
    state = begin(figure_2, NOISE, LABELS, torch.ones(3), sampler=name, steps=6).state
    prediction = figure_2(state.z, state.log_snr, LABELS)
    bound = begin(figure_2, NOISE, LABELS, torch.ones(3), sampler=name, steps=6).sampler
    assert torch.equal(SAMPLERS[name].advance(state, prediction).z, bound.advance(state, prediction).z)


@pytest.mark.parametrize(
    ("name", "advance", "parameter", "value"),
    [
        ("ddim", ddim, "eta", 0.5),
        ("dpmpp_2m_sde", dpm_solver_2m, "eta", 0.25),
        ("ancestral", ancestral, "v", 0.8),
    ],
)
def test_a_value_reaches_the_samplers_equation(figure_2, name, advance, parameter, value):
    job = begin(figure_2, NOISE, LABELS, torch.zeros(3), sampler=name, steps=6, parameters={parameter: value})
    state = start(NOISE, job.state.log_snrs)
    while not state.done:
        state = partial(advance, **{parameter: value})(state, figure_2(state.z, state.log_snr, LABELS))
    assert torch.equal(sample(figure_2, job), state.z)
    assert not torch.equal(
        state.z, sample(figure_2, begin(figure_2, NOISE, LABELS, torch.zeros(3), sampler=name, steps=6))
    )


def test_without_noise_the_stochastic_solver_is_the_deterministic_one(figure_2):
    job = begin(figure_2, NOISE, LABELS, torch.ones(3), sampler="dpmpp_2m_sde", steps=6, parameters={"eta": 0.0})
    state = start(NOISE, job.state.log_snrs)
    other = begin(figure_2, NOISE, LABELS, torch.ones(3), steps=6)
    other.state = state
    assert torch.equal(sample(figure_2, job), sample(figure_2, other))


@pytest.mark.parametrize("name", ["dpmpp_2m", "heun"])
def test_rho_reaches_the_spacing(figure_2, name):
    job = begin(figure_2, NOISE, LABELS, torch.ones(3), sampler=name, steps=6, parameters={"rho": 3.0})
    assert torch.equal(job.state.log_snrs, edm(figure_2.schedule, 6, 3.0))
    assert not torch.equal(job.state.log_snrs, edm(figure_2.schedule, 6))


def test_a_parameter_of_another_sampler_is_refused_by_name(figure_2):
    with pytest.raises(ValueError, match="parameters must be among rho for this rule and sampler, got 'eta'"):
        begin(figure_2, NOISE, LABELS, torch.ones(3), parameters={"eta": 0.5})


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_steps_that_are_none_are_refused(figure_2, steps):
    with pytest.raises(ValueError, match=f"steps must be a whole number from 1 to 10000, got {steps}"):
        begin(figure_2, NOISE, LABELS, torch.ones(3), steps=steps)
