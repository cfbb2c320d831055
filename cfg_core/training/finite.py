"""Training ends at the first number that is not finite."""

from collections.abc import Mapping

from torch import Tensor


class NotFiniteError(ArithmeticError):
    """A loss, a gradient or a weight that is infinite or not a number; the message is one sentence."""


def check_finite(field: str, tensors: Mapping[str, Tensor]) -> None:
    """Raises NotFiniteError, with their count, where some of the tensors have an element that is not finite."""
    broken = sum(not bool(t.isfinite().all()) for t in tensors.values())
    if broken:
        raise NotFiniteError(f"{field} must be finite, got {broken} of {len(tensors)} tensors that are not")
