"""Autoguidance: on Gaussians the closed form, and only what counts is evaluated, of either model."""

import pytest
import torch

from cfg_core.guidance.rules import rules
from tests.guidance.noisy import COUNT, W, asked, column, guided, noisy


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_on_a_gaussian_and_a_wider_one_it_is_the_score_of_a_quotient_of_gaussians(gaussian, share):
    """The score is that of p(z) (p(z)/p′(z))^{a w}; one class alone, so that p(z|c) = p(z)."""
    z, log_snr, _ = noisy(gaussian)
    alpha2, sigma2 = column(log_snr.sigmoid(), z), column((-log_snr).sigmoid(), z)
    variance, wider = alpha2 * 0.3**2 + sigma2, alpha2 * (0.3**2 + 0.5**2) + sigma2
    strength = share * column(W, z)
    expected = -(z - 0.7 * alpha2.sqrt()) * ((1 + strength) / variance - strength / wider)
    found = guided(gaussian.with_weaker(0.5), "autoguidance", weaker_share=share)[0]
    assert torch.allclose(found.score, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("share", "w", "model", "weaker"),
    [
        (1.0, 2.0, (COUNT, 0), (COUNT, 0)),
        (0.5, 2.0, (COUNT, COUNT), (COUNT, 0)),
        (0.0, 2.0, (COUNT, COUNT), (0, 0)),
        (1.0, 0.0, (COUNT, 0), (0, 0)),
        (1.0, -1.0, (0, 0), (COUNT, 0)),
        (0.5, -1.0, (0, COUNT), (COUNT, 0)),
    ],
)
def test_what_does_not_count_is_not_evaluated(equipped, monkeypatch, share, w, model, weaker):
    def draw():
        return guided(equipped, "autoguidance", w, weaker_share=share)

    assert asked(equipped, monkeypatch, draw) == model
    assert asked(equipped.weaker, monkeypatch, draw) == weaker


def test_at_minus_1_it_is_the_weaker_model(equipped):
    found, expected = guided(equipped, "autoguidance", -1.0)[0], equipped.weaker(*noisy(equipped))
    assert torch.allclose(found.x, expected.x, atol=1e-12)
    assert torch.allclose(found.eps, expected.eps, atol=1e-12)


def test_a_sample_alone_is_what_it_is_in_a_batch_of_many_w(equipped):
    every = guided(equipped, "autoguidance", weaker_share=0.5)[0]
    for n in (0, 2, 5):
        assert torch.equal(guided(equipped, "autoguidance", float(W[n]), weaker_share=0.5)[0].x[n], every.x[n])


def test_without_a_weaker_model_it_is_not_offered(tiny_denoiser, mixture):
    assert "autoguidance" not in rules(tiny_denoiser)
    assert "autoguidance" not in rules(mixture)
    with pytest.raises(ValueError, match="a denoiser must have a weaker sibling for this rule, got one without"):
        guided(tiny_denoiser, "autoguidance")
