"""Adaptive projected guidance against the code of diffusers, step after step with its memory."""

import math

import pytest
import torch

from tests.guidance.noisy import W, both, column, guided

VALUES = {"momentum": -0.5, "parallel": 0.25, "radius": 0.4}


def test_three_steps_are_those_of_diffusers(equipped):
    apg = pytest.importorskip("diffusers.guiders.adaptive_projected_guidance")
    conditional, unconditional = both(equipped, "x")
    bound = VALUES["radius"] * math.sqrt(math.prod(equipped.shape))
    buffer, memory = apg.MomentumBuffer(VALUES["momentum"]), None
    for _ in range(3):
        found, memory = guided(equipped, "apg", memory=memory, **VALUES)
        expected = apg.normalized_guidance(
            conditional, unconditional, column(W, conditional), buffer, VALUES["parallel"], bound, True
        )
        assert torch.allclose(found.x, expected, atol=1e-9)
    guiding = W != 0  # at 0 no difference is computed
    assert torch.allclose(memory[guiding], buffer.running_average[guiding], atol=1e-9)


def test_projected_what_is_added_is_orthogonal_to_the_conditional_prediction_and_within_the_radius(equipped):
    conditional = both(equipped, "x")[0].flatten(1)
    added = guided(equipped, "apg", 1.0, radius=0.05)[0].x.flatten(1) - conditional
    assert float((added * conditional).sum(1).abs().max()) < 1e-9
    assert float(added.norm(dim=1).max()) <= 0.05 * math.sqrt(added.shape[1]) + 1e-12
