"""Tangential damping against the singular vectors themselves, at every noise level."""

import pytest
import torch

from cfg_core.guidance.guide import guide
from cfg_core.guidance.rules import RULES
from tests.guidance.noisy import COUNT, W, asked, both, column, guided, noisy


def damped(conditional, unconditional):
    """ε(z) projected on the first right singular vector of both rows, by LAPACK in float64."""
    rows = torch.stack([conditional, unconditional], 1).flatten(2)
    first = torch.linalg.svd(rows, full_matrices=False).Vh[:, 0]
    return ((rows[:, 1] * first).sum(1, keepdim=True) * first).reshape(unconditional.shape)


def test_it_projects_on_the_first_right_singular_vector(equipped):
    conditional, unconditional = both(equipped)
    expected = conditional + column(W, conditional) * (conditional - damped(conditional, unconditional))
    assert torch.allclose(guided(equipped, "tcfg")[0].eps, expected, atol=1e-7)


def test_it_is_that_of_diffusers(equipped):
    tangential = pytest.importorskip("diffusers.guiders.tangential_classifier_free_guidance")
    conditional, unconditional = (each.float() for each in both(equipped))
    expected = tangential.normalized_guidance(conditional, unconditional, column(W.float(), conditional), True)
    assert torch.allclose(guided(equipped, "tcfg")[0].eps.float(), expected, atol=1e-4)


def test_in_float32_it_holds_at_the_noisy_end_too(guided_network):
    """Both ε are nearly the noise there, and x̃ would multiply what is rounded of them by σ/α = e^10."""
    z, _, labels = noisy(guided_network)
    log_snr, w = torch.full((COUNT,), -20.0, dtype=torch.float64), torch.ones(COUNT)
    exact, single = (
        guide(guided_network, RULES["tcfg"], z.to(t), log_snr, labels, w).x.double()
        for t in (torch.float64, torch.float32)
    )
    assert float((single - exact).abs().max()) < 0.02


def test_the_unconditional_prediction_is_not_computed_at_0(equipped, monkeypatch):
    assert asked(equipped, monkeypatch, lambda: guided(equipped, "tcfg", 0.0)) == (COUNT, 0)
