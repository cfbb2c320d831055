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


def begun(denoiser, sampler, **parameters):
    return begin(denoiser, NOISE, LABELS, torch.zeros(3), sampler=sampler, steps=6, parameters=parameters)


def drawn(denoiser, sampler, **parameters):
    return sample(denoiser, begun(denoiser, sampler, **parameters))


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_defaults_are_the_sampler_as_it_stands_in_the_table(figure_2, name):
    given = {parameter.name: parameter.default for parameter in SAMPLERS[name].parameters}
    assert torch.equal(drawn(figure_2, name, **given), drawn(figure_2, name))
    job = begun(figure_2, name)
    prediction = figure_2(job.state.z, job.state.log_snr, LABELS)
    assert torch.equal(SAMPLERS[name].advance(job.state, prediction).z, job.sampler.advance(job.state, prediction).z)


@pytest.mark.parametrize(
    ("name", "advance", "parameter", "value"),
    [
        ("ddim", ddim, "eta", 0.5),
        ("dpmpp_2m_sde", dpm_solver_2m, "eta", 0.25),
        ("ancestral", ancestral, "v", 0.8),
    ],
)
def test_a_value_reaches_the_samplers_equation(figure_2, name, advance, parameter, value):
    job = begun(figure_2, name, **{parameter: value})
    state = start(NOISE, job.state.log_snrs)
    while not state.done:
        state = partial(advance, **{parameter: value})(state, figure_2(state.z, state.log_snr, LABELS))
    assert torch.equal(sample(figure_2, job), state.z)
    assert not torch.equal(state.z, drawn(figure_2, name))


def test_without_noise_the_stochastic_solver_is_the_deterministic_one(figure_2):
    stochastic, other = begun(figure_2, "dpmpp_2m_sde", eta=0.0), begun(figure_2, "dpmpp_2m")
    other.state = stochastic.state
    assert torch.equal(sample(figure_2, stochastic), sample(figure_2, other))


@pytest.mark.parametrize("name", ["dpmpp_2m", "heun"])
def test_rho_reaches_the_spacing(figure_2, name):
    job = begun(figure_2, name, rho=3.0)
    assert torch.equal(job.state.log_snrs, edm(figure_2.schedule, 6, 3.0))
    assert not torch.equal(job.state.log_snrs, edm(figure_2.schedule, 6))


def test_a_parameter_of_another_sampler_is_refused_by_name(figure_2):
    with pytest.raises(ValueError, match="parameters must be among rho for this rule and sampler, got 'eta'"):
        begun(figure_2, "dpmpp_2m", eta=0.5)


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_steps_that_are_none_are_refused(figure_2, steps):
    with pytest.raises(ValueError, match=f"steps must be a whole number from 1 to 10000, got {steps}"):
        begin(figure_2, NOISE, LABELS, torch.ones(3), steps=steps)
