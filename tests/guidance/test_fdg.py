"""Frequency-decoupled guidance against a pyramid by scipy, and by what is low and what is high."""

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d

from cfg_core.diffusion.prediction import Prediction
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL
from cfg_core.guidance.rules import RULES, rules
from tests.guidance.noisy import W, both, column, guided


def smoothed(images):
    for axis in (-2, -1):
        images = convolve1d(images, np.array([1, 4, 6, 4, 1]) / 16, axis, mode="mirror")
    return images


def low(images):
    """The lower level of a pyramid of two, for sides that are even: means of 2 × 2, then doubled bilinearly."""
    halved = (
        smoothed(images).reshape(*images.shape[:-2], images.shape[-2] // 2, 2, images.shape[-1] // 2, 2).mean((-3, -1))
    )
    for axis in (-2, -1):
        size = halved.shape[axis]
        at = np.clip((np.arange(2 * size) + 0.5) / 2 - 0.5, 0, size - 1)
        halved = np.apply_along_axis(lambda line, at=at, size=size: np.interp(at, np.arange(size), line), axis, halved)
    return smoothed(halved)


def test_it_is_that_of_a_pyramid_by_scipy(guided_network):
    conditional, unconditional = both(guided_network, "x")
    difference = conditional - unconditional
    lower = torch.tensor(low(difference.detach().numpy()))
    expected = conditional + column(W, difference) * (0.25 * lower + difference - lower)
    assert torch.allclose(guided(guided_network, "fdg", low_frequencies=0.25)[0].x, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("image", "share"),
    [(torch.ones(8, 8), 0.5), (torch.ones(7, 7), 0.5), (torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(4, 4), 1.0)],
)
def test_a_flat_difference_is_low_and_a_chequered_one_high(image, share):
    zero = torch.zeros(1, 1, *image.shape)
    results = {
        CONDITIONAL: Prediction(torch.zeros(1), zero + image, zero),
        UNCONDITIONAL: Prediction(torch.zeros(1), zero, zero),
    }
    found = RULES["fdg"].combine(results, torch.ones(1), {"low_frequencies": 0.5}, None)[0].x
    assert torch.allclose(found, (1 + share) * image.expand_as(found), atol=1e-6)


def test_points_of_a_plane_have_no_frequencies(figure_2):
    assert "fdg" not in rules(figure_2)
