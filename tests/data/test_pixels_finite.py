"""Samples that are not finite never become pictures."""

import pytest
import torch

from cfg_core.data.pixels import to_bytes


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="samples must be finite, got 1 of 3 values that are not"):
        to_bytes(torch.tensor([0.0, value, 1.0]))
