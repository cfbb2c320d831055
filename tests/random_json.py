"""Damaged files: a valid JSON value in which a few parts are replaced or left out, and what reading it may end in."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st

from cfg_core.checkpoints.model_folder import CheckpointError

QUICK = settings(derandomize=True, max_examples=150, deadline=None)
"""For every such test: the same examples on each run."""


Read = TypeVar("Read")


ABSENT = object()


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([10**400, "\ud800", "\x1b[2J", "\0", "x" * 300, [], {}, [[0]], {"a": 0}, ["a"], [None], -1, 1e308]),
    st.just(ABSENT),
)


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where the parts of a JSON value are, at any depth; of a list the first alone."""
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, each in inside:
        yield (key,)
        yield from ((key, *rest) for rest in paths(each))


def _replace(value: Any, path: tuple[Any, ...], other: Any) -> None:
    *outer, last = path
    try:
        for key in outer:
            value = value[key]
        if other is ABSENT:
            del value[last]
        else:
            value[last] = other
    except (KeyError, IndexError, TypeError):
        pass  # an outer part was replaced before


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """The JSON value with one to three of its parts replaced or left out, or another value altogether."""
    found = copy.deepcopy(value)
    for path in draw(st.lists(st.sampled_from(list(paths(value))), min_size=1, max_size=3)):
        _replace(found, path, draw(ODD))
    return draw(ODD.filter(lambda each: each is not ABSENT)) if draw(st.integers(0, 19)) == 0 else found


def read_or_refused(read: Callable[[], Read]) -> Read | None:
    """What is read, None where it is refused in one line that any terminal can show; any other exception passes."""
    try:
        return read()
    except ValueError as error:
        refused = error
    assert type(refused) in (ValueError, CheckpointError)
    assert str(refused).isprintable()
    assert len(str(refused)) < 1000
    return None
