"""Rescaled guidance against diffusers, and by what it promises: the spread of the conditional prediction."""

import pytest
import torch

from tests.guidance.noisy import W, both, column, guided


def spread(eps):
    return eps.flatten(1).std(1)


def test_it_is_that_of_diffusers(equipped):
    utils = pytest.importorskip("diffusers.guiders.guider_utils")
    conditional, unconditional = both(equipped)
    plain = conditional + column(W, conditional) * (conditional - unconditional)
    expected = utils.rescale_noise_cfg(plain, conditional, 0.7)
    assert torch.allclose(guided(equipped, "rescale", phi=0.7)[0].eps, expected, atol=1e-9)


def test_fully_rescaled_its_spread_is_that_of_the_conditional_prediction(equipped):
    conditional = both(equipped)[0]
    assert torch.allclose(spread(guided(equipped, "rescale", phi=1.0)[0].eps), spread(conditional), atol=1e-9)
    assert not torch.allclose(spread(guided(equipped, "cfg")[0].eps), spread(conditional), atol=1e-3)


def test_a_sample_without_spread_stays_as_it_is(gaussian):
    """One number has no deviation: it is not a number, and nothing is rescaled by it."""
    found, plain = guided(gaussian, "rescale", phi=1.0)[0], guided(gaussian, "cfg")[0]
    assert torch.allclose(found.x, plain.x, atol=1e-12)
