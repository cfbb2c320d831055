"""Limits out of range, and requests beyond them."""

import pytest

from cfg_core.serving.limits import Limits


@pytest.mark.parametrize("field", ["sessions", "queue", "per_address", "pictures", "steps", "work", "cache", "samples"])
def test_limits_out_of_range_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} must be a whole number from"):
        Limits(**{field: -1})
