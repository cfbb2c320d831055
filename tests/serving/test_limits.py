"""Limits out of range, and requests beyond them."""

import pytest

from cfg_core.serving.limits import Limits

FIELDS = ["sessions", "queue", "per_address", "pictures", "steps", "work", "api_work", "cache", "samples"]


@pytest.mark.parametrize("field", FIELDS)
def test_limits_out_of_range_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} must be a whole number from"):
        Limits(**{field: -1})
