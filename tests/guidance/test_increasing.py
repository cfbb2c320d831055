"""Schedules of w over λ: their mean is w, they are classifier guidance of that w on the mixture, and cost no more."""

import numpy as np
import pytest
import torch

from cfg_core.diffusion.prediction import Prediction
from cfg_core.guidance.guide import guide
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import resolve
from tests.guidance.noisy import COUNT, asked, guided, noisy

SCHEDULES = [
    ("growing", {"power": 0.0}),
    ("growing", {"power": 1.0}),
    ("growing", {"power": 2.5}),
    ("cosine", {"swing": 1.0}),
    ("cosine", {"swing": -0.5}),
]


def strengths(rule, w, log_snrs, **given):
    """w(λ), read off a conditional prediction of 0 and an unconditional one of −1: x̃ is w(λ)."""
    count, values = len(log_snrs), resolve(RULES[rule].parameters, given)
    zero, minus = (torch.full((count, 1), value, dtype=torch.float64) for value in (0.0, -1.0))
    results = {CONDITIONAL: Prediction(log_snrs, zero, zero), UNCONDITIONAL: Prediction(log_snrs, minus, minus)}
    w = torch.full((count,), w, dtype=torch.float64)
    return RULES[rule].combine(results, w, values, None)[0].x[:, 0].numpy()


@pytest.mark.parametrize(("rule", "values"), SCHEDULES)
def test_the_mean_of_w_between_both_ends_is_w(rule, values):
    log_snrs = torch.linspace(-9, 9, 20001, dtype=torch.float64)
    assert np.trapezoid(strengths(rule, 3.0, log_snrs, **values), log_snrs.numpy()) / 18 == pytest.approx(3.0, abs=1e-3)


def test_linear_and_cosine_rise_from_0_to_2_w_and_stay_there():
    log_snrs = torch.tensor([-20.0, -9.0, 0.0, 9.0, 20.0], dtype=torch.float64)
    for rule in ("growing", "cosine"):
        assert strengths(rule, 3.0, log_snrs) == pytest.approx([0, 0, 3, 6, 6], abs=1e-12)


def test_w_jumps_where_the_ends_are_one():
    log_snrs, ends = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64), {"log_snr_start": 0.0, "log_snr_end": 0.0}
    assert strengths("growing", 3.0, log_snrs, **ends) == pytest.approx([0, 6, 6])


@pytest.mark.parametrize(("rule", "values"), SCHEDULES)
def test_on_the_mixture_it_is_classifier_guidance_of_that_w(mixture, rule, values):
    z, log_snr, labels = noisy(mixture)
    at = torch.tensor(strengths(rule, 2.0, log_snr, **values))
    expected = guide(mixture, RULES["classifier"], z, log_snr, labels, at)
    assert torch.allclose(guided(mixture, rule, 2.0, **values)[0].eps, expected.eps, rtol=1e-8, atol=1e-9)


def test_where_w_is_0_the_unconditional_prediction_is_not_computed(equipped, monkeypatch):
    guiding = int((noisy(equipped)[1] > -1).sum())
    found = asked(equipped, monkeypatch, lambda: guided(equipped, "growing", 2.0, log_snr_start=-1.0))
    assert found == (COUNT, guiding)
    assert 0 < guiding < COUNT
