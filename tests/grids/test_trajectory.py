"""Samples on their way from noise to clean: what is kept of each step is what the sampling loop computed there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import alpha_sigma
from cfg_core.grids import trajectory as module
from cfg_core.grids.drawing import begin_grid, draw_grid
from cfg_core.grids.request import GridRequest
from cfg_core.grids.trajectory import draw_trajectory, guided_at, step_bytes
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.loop import generate
from cfg_core.sampling.samplers import SAMPLERS
from tests.guidance.test_memory import Momentum

REQUEST = GridRequest("0123456789ab", (3,), w=(2.0,), samples=5, steps=6)


def generated(denoiser, request):
    """z before each step, and its prediction, from the sampling loop; of two evaluations of a step, the first."""
    job = begin_grid(denoiser, request)
    before, steps = job.state, []
    for state, prediction in generate(denoiser, job):
        if job.sampler.between(before):
            steps.append((before, prediction))
        before = state
    return steps


def predictions(trajectory, sample, step):
    """x̂(c), x̂(∅), ε̂(c) and ε̂(∅) from z and v."""
    alpha, sigma = (float(c) for c in alpha_sigma(torch.tensor(trajectory.log_snrs[step])))
    z, *both = trajectory.parts[sample, step].astype(np.float64)
    return [alpha * z - sigma * v for v in both] + [sigma * z + alpha * v for v in both]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_norms_and_parts_are_those_of_the_sampling_loop(tiny_denoiser, sampler):
    request = replace(REQUEST, sampler=sampler, parameters=())
    trajectory, steps = draw_trajectory(tiny_denoiser, request), generated(tiny_denoiser, request)
    assert trajectory.parts.shape == (5, 6, 3, *tiny_denoiser.shape)
    for step, (state, prediction) in enumerate(steps):
        assert trajectory.log_snrs[step] == float(state.log_snr[0])
        c, u = prediction.parts["conditional"], prediction.parts["unconditional"]
        for norms, difference in ((trajectory.norms_x, c.x - u.x), (trajectory.norms_eps, c.eps - u.eps)):
            assert np.array_equal(norms[step], difference.flatten(1).norm(dim=1).numpy())
        for sample in range(5):
            found = predictions(trajectory, sample, step)
            for part, expected in zip(found, (c.x, u.x, c.eps, u.eps), strict=True):
                np.testing.assert_allclose(part, expected[sample], atol=1e-4)
    drawn = draw_grid(tiny_denoiser, request)[0, 0].transpose(0, 3, 1, 2)
    assert np.array_equal(trajectory.samples, drawn)


@pytest.mark.parametrize(
    "changes",
    [{"w": (0.0,)}, {"w": (-1.0,)}, {"rule": "interval", "parameters": {"log_snr_low": -3.0, "log_snr_high": 3.0}}],
    ids=["w = 0", "w = −1", "interval"],
)
def test_both_halves_are_evaluated_where_the_rule_needs_one(tiny_denoiser, changes):
    request = replace(REQUEST, **changes)
    trajectory = draw_trajectory(tiny_denoiser, request)
    labels = torch.full((5,), 3)
    for step, (state, prediction) in enumerate(generated(tiny_denoiser, request)):
        c, u = tiny_denoiser.pair(state.z, state.log_snr, labels)
        assert np.array_equal(trajectory.norms_x[step], (c.x - u.x).flatten(1).norm(dim=1).detach().numpy())
        assert trajectory.norms_x[step].min() > 0
        sampled, _ = guided_at(tiny_denoiser, trajectory, 2, step, request.w[0])
        np.testing.assert_allclose(sampled, prediction.x[2], atol=1e-5)  # and what is sampled is the rule's


def test_w_acts_inside_the_interval_only(tiny_denoiser):
    parameters = {"log_snr_low": -3.0, "log_snr_high": 3.0}
    trajectory = draw_trajectory(tiny_denoiser, replace(REQUEST, rule="interval", parameters=parameters))
    assert trajectory.acts == tuple(-3 <= level <= 3 for level in trajectory.log_snrs)
    assert set(trajectory.acts) == {True, False}
    assert all(draw_trajectory(tiny_denoiser, REQUEST).acts)


@pytest.mark.parametrize("w", [-1.0, 0.0, 0.7, 8.0])
def test_a_linear_rule_at_any_w_is_made_of_the_parts(tiny_denoiser, w):
    trajectory = draw_trajectory(tiny_denoiser, replace(REQUEST, rule="interval"))
    for step, acts in enumerate(trajectory.acts):
        x, eps = guided_at(tiny_denoiser, trajectory, 1, step, w)
        c, u, c_eps, u_eps = predictions(trajectory, 1, step)
        np.testing.assert_allclose(x, c + acts * w * (c - u), atol=1e-4)
        np.testing.assert_allclose(eps, c_eps + acts * w * (c_eps - u_eps), atol=1e-4)


def test_a_rule_with_memory_goes_on_from_that_of_the_step(tiny_denoiser, monkeypatch):
    monkeypatch.setitem(RULES, "cfg", Momentum().rule)
    trajectory = draw_trajectory(tiny_denoiser, REQUEST)
    for step, (_, prediction) in enumerate(generated(tiny_denoiser, REQUEST)):
        x, eps = guided_at(tiny_denoiser, trajectory, 4, step, REQUEST.w[0])
        np.testing.assert_allclose(x, prediction.x[4], atol=1e-5)
        np.testing.assert_allclose(eps, prediction.eps[4], atol=1e-5)
    assert trajectory.memories[0] is None
    assert trajectory.memories[1] is not None


def test_it_ends_when_nobody_wants_it_any_more(tiny_denoiser):
    made = []

    def proceed(evaluations):
        made.append(evaluations)
        return evaluations < 2

    assert draw_trajectory(tiny_denoiser, REQUEST, proceed) is None
    assert made == [1, 2]


def test_a_sample_that_is_not_finite_is_a_sentence(tiny_denoiser, monkeypatch):
    def broken(denoiser, job):
        for state, prediction in generate(denoiser, job):
            job.state = replace(state, z=state.z * torch.nan)
            yield job.state, Prediction(prediction.log_snr, prediction.x, prediction.eps, prediction.parts)

    monkeypatch.setattr(module, "generate", broken)
    with pytest.raises(ValueError, match="samples must be finite"):
        draw_trajectory(tiny_denoiser, REQUEST)


@pytest.mark.parametrize(("samples", "steps"), [(1, 1), (16, 2), (64, 1)])
def test_its_bytes_are_bounded_before_it_is_drawn(tiny_denoiser, samples, steps):
    trajectory = draw_trajectory(tiny_denoiser, replace(REQUEST, samples=samples, steps=steps))
    assert trajectory.nbytes <= samples * steps * step_bytes(tiny_denoiser)
