"""What a class is shown of a strip until the exact pictures are drawn."""

from dataclasses import replace

from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.sessions import SessionView
from cfg_core.ui.class_pictures import nearest

A = GridRequest("0123456789ab", (3,), (2.1,), samples=4, steps=5)


def frame(w: float, **changes: object) -> Frame:
    return Frame(replace(A, w=(w,), **changes), 0)  # type: ignore[arg-type]


def test_the_rungs_nearest_to_both_grids_come_first() -> None:
    rungs = [frame(w) for w in (0.0, 1.0, 2.0, 3.0)]
    view = SessionView(1, (frame(2.1), frame(0.0)), tuple(rungs))
    assert nearest(view) == (rungs[2], rungs[0])


def test_of_another_scene_or_without_a_strip_there_is_none() -> None:
    other = frame(2.0, seed=9)
    assert nearest(SessionView(1, (frame(2.1), frame(0.0)), (other,))) == ()
    assert nearest(SessionView(1, (frame(2.1),))) == ()
