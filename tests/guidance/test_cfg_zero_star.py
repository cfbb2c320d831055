"""CFG-Zero* against the code of diffusers in its velocity, and in DDIM where the velocity is zero."""

import pytest
import torch

from cfg_core.diffusion.noise import grid_noise
from cfg_core.sampling.loop import begin, generate
from tests.guidance.noisy import COUNT, W, asked, both, column, guided, noisy

NEVER = {"log_snr_zero": -25.0}


def test_the_velocity_is_that_of_diffusers(equipped):
    zero_star = pytest.importorskip("diffusers.guiders.classifier_free_zero_star_guidance")
    (x, x_unconditional), (eps, eps_unconditional) = both(equipped, "x"), both(equipped)
    v, v_unconditional = eps - x, eps_unconditional - x_unconditional
    scale = zero_star.cfg_zero_star_scale(v.flatten(1), v_unconditional.flatten(1))
    optimised = column(scale.squeeze(1), v) * v_unconditional
    expected = optimised + column(1 + W, v) * (v - optimised)
    found = guided(equipped, "cfg_zero_star", **NEVER)[0]
    assert torch.allclose(found.eps - found.x, expected, atol=2e-5)  # diffusers computes the scale in float32


def test_with_the_optimised_scale_no_other_leaves_a_shorter_difference(equipped):
    def difference(optimised):
        x, eps = (
            getattr(guided(equipped, "cfg_zero_star", 1.0, optimised=optimised, **NEVER)[0], kind)
            - both(equipped, kind)[0]
            for kind in ("x", "eps")
        )
        return (eps - x).flatten(1).norm(dim=1)

    assert bool((difference(1.0) <= difference(0.9)).all())
    assert bool((difference(1.0) < difference(0.0)).all())


def test_while_the_velocity_is_zero_ddim_stays_where_it_is_in_the_flow(equipped):
    noise = grid_noise(0, range(4), equipped.shape, equipped.device)
    chosen = {"sampler": "ddim", "steps": 8, "rule": "cfg_zero_star", "parameters": {"log_snr_zero": -2.0}}
    job = begin(equipped, noise, torch.zeros(4).long(), torch.ones(4), **chosen)
    log_snrs, before = job.state.log_snrs, job.state.z
    moved = []
    for state, _ in generate(equipped, job):
        levels = log_snrs[state.at - 1 : state.at + 1]
        if len(levels) == 2:
            old, new = (each.sigmoid().sqrt() + (-each).sigmoid().sqrt() for each in levels)
            moved.append((float(levels[0]) >= -2, not torch.allclose(before / old, state.z / new, atol=1e-5)))
        before = state.z
    assert all(free == away for free, away in moved)
    assert {free for free, _ in moved} == {False, True}


def test_the_unconditional_prediction_is_not_computed_where_the_velocity_is_zero(equipped, monkeypatch):
    zeroed = int((noisy(equipped)[1] < -6.5).sum())
    assert 0 < zeroed < COUNT
    for w, nulls in ((2.0, COUNT - zeroed), (0.0, 0)):
        counted = asked(equipped, monkeypatch, lambda w=w: guided(equipped, "cfg_zero_star", w))
        assert counted == (COUNT, nulls)
