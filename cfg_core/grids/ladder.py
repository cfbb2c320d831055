"""What is drawn ahead of time: a grid over a ladder of guidance strengths, and the pictures of a model's class rail."""

from dataclasses import replace
from functools import lru_cache

from cfg_core.grids.request import GridRequest

COARSE = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Drawn first."""


GAPS = (0.25, 0.5, 0.75, 1.25, 1.5, 1.75, 2.5, 3.0, 3.5, 5.0, 6.0, 7.0)
"""Drawn after COARSE."""


BELOW = (-1.0, -0.75, -0.5, -0.25)
"""Drawn after COARSE too, for a request with w below 0."""


@lru_cache(maxsize=1024)  # every poll of every page needs it
def strip(request: GridRequest) -> tuple[GridRequest, ...]:
    """The same grid at every w of the ladder: COARSE, then GAPS, in each of these the nearest to its own w first.

    The w below 0 are included only if its own is below 0.
    """
    (at,) = request.w
    rungs = (COARSE, (*BELOW, *GAPS) if at < 0 else GAPS)
    ordered = [w for part in rungs for w in sorted(part, key=lambda w: abs(w - at))]
    return tuple(replace(request, w=(w,)) for w in ordered)


def rail(checkpoint: str, classes: int) -> GridRequest:
    """One picture of every class of a model, by its hash."""
    return GridRequest(checkpoint, tuple(range(classes)), w=(2.0,), samples=1)
