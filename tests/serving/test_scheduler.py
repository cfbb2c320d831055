"""Who goes first: pure bookkeeping, without a denoiser."""

from dataclasses import replace
from itertools import count

import pytest

from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import BLOCK, Frame, GridJob
from cfg_core.serving.scheduler import AGE, BETTER, Level, Session, ranked_jobs, share

A = GridRequest("0123456789ab", (3,), (2.0,), samples=16, steps=5)
serials = count()


def work(finished: bool = False, **changes: object) -> GridJob:
    request = replace(A, **changes)  # type: ignore[arg-type]
    return GridJob(Frame(request, next(serials), request.evaluations if finished else 0))


def order(*people: Session, turn: int = 0) -> list[GridJob]:
    """Those that are not granted, in their order."""
    return [work for (level, *_), _, work in ranked_jobs(people, turn) if level is not Level.GRANTED]


def test_without_a_picture_the_shortest_grid_goes_first_whenever_it_came() -> None:
    long, short, middle = work(samples=64), work(steps=3), work()
    assert order(*(Session(looked_at=[each]) for each in (long, short, middle))) == [short, middle, long]


def test_who_has_no_picture_goes_before_who_waits_for_a_better_one_and_that_before_strips() -> None:
    better, rung, next_rung = work(w=(3.0,)), work(w=(4.0,)), work(w=(5.0,))
    old = Session(looked_at=[better], strip=[work(finished=True, w=(2.5,)), rung, next_rung])
    newcomer = Session(looked_at=[work(samples=64), work(w=(0.0,))])
    waiting = Session(looked_at=[work(finished=True)], strip=[work(w=(6.0,))])
    found = order(old, newcomer, waiting)
    assert found[0] is newcomer.looked_at[0]
    assert set(found[1:3]) == {better, newcomer.looked_at[1]}
    assert set(found[3:5]) == {waiting.strip[0], rung}
    assert found[5] is next_rung


def test_who_waits_for_a_better_picture_has_one_block_of_every_few_turns() -> None:
    refining = Session(looked_at=[work(samples=64, w=(3.0,)), work(samples=64, w=(0.0,))], strip=[work(finished=True)])
    newcomers = [Session(looked_at=[work()]) for _ in range(4)]
    firsts = [person.looked_at[0] for person in newcomers]
    assert share(ranked_jobs([refining, *newcomers], 2 * BETTER), 4 * BLOCK) == dict.fromkeys(firsts, 1)
    granted = share(ranked_jobs([refining, *newcomers], 2 * BETTER + 1), 4 * BLOCK)
    assert granted == {refining.looked_at[0]: 1} | dict.fromkeys(firsts[:3], 1)


def test_what_was_begun_for_who_has_a_picture_is_finished_before_another_is_begun() -> None:
    begun, whole = work(steps=4), work(steps=5)
    people = [Session(looked_at=[each], strip=[work(finished=True)]) for each in (whole, begun)]
    assert order(*people) == [begun, whole]


def test_where_nobody_waits_for_a_first_picture_the_turn_is_half_as_long() -> None:
    first, strip_only = Session(looked_at=[work(samples=64)]), Session(strip=[work(samples=64)])
    assert share(ranked_jobs([first], 0), 4 * BLOCK) == {first.looked_at[0]: 4}
    assert share(ranked_jobs([strip_only], 0), 4 * BLOCK) == {strip_only.strip[0]: 2}


@pytest.mark.parametrize(("w", "enough"), [(3.0, True), (3.25, True), (1.0, False), (8.0, False)])
def test_a_picture_counts_where_the_strip_will_have_no_nearer_one(w: float, enough: bool) -> None:
    person = Session(looked_at=[work(w=(3.2,)), work(finished=True, w=(w,))], strip=[work(w=(3.0,)), work(w=(4.0,))])
    assert person.has_picture is enough


def test_strips_go_round_between_people() -> None:
    people = [Session(looked_at=[work(finished=True)], strip=[work(), work()], served=turn) for turn in (7, 3, 5)]
    found = order(*people, turn=8)
    assert found == [people[i].strip[rung] for rung in (0, 1) for i in (1, 2, 0)]


def test_one_block_of_a_turn_is_of_the_grid_that_has_waited_for_long() -> None:
    large = Session(looked_at=[work(samples=64)], waiting=0)
    longer = large.looked_at[0].remaining - work().remaining
    for waited, first in ((longer // AGE - 1, 1), (longer // AGE + 1, 0)):
        newcomer = Session(looked_at=[work()], waiting=waited)
        assert next(iter(share(ranked_jobs([large, newcomer], 0), BLOCK))) is (large, newcomer)[first].looked_at[0]


def test_who_waits_for_long_takes_no_more_than_a_block_from_shorter_grids() -> None:
    patient = Session(looked_at=[work(samples=64, steps=100)], waiting=-(10**6))
    newcomers = [Session(looked_at=[work()]) for _ in range(4)]
    assert share(ranked_jobs([patient, *newcomers], 0), 4 * BLOCK) == {
        patient.looked_at[0]: 1,
        **{person.looked_at[0]: 1 for person in newcomers[:3]},
    }


@pytest.mark.parametrize("steps", [1, 2, 12, 50])
def test_nobody_has_a_second_block_before_everybody_has_one(steps: int) -> None:
    glutton, other = Session(looked_at=[work(samples=64, steps=steps)]), Session(looked_at=[work(steps=12)])
    assert share(ranked_jobs([glutton, other], 0), 4 * BLOCK) == {glutton.looked_at[0]: 3, other.looked_at[0]: 1}


def test_strips_do_not_shut_out_a_newcomer() -> None:
    crowd = [Session(looked_at=[work(finished=True)], strip=[work()], waiting=-(10**6)) for _ in range(60)]
    newcomer = Session(looked_at=[work()])
    for turn in range(BETTER):
        assert list(share(ranked_jobs([*crowd, newcomer], turn), 2 * BLOCK)) == newcomer.looked_at


def test_small_grids_do_not_take_the_place_of_whole_blocks() -> None:
    people = [Session(looked_at=[work(samples=1)]) for _ in range(20)]
    assert len(share(ranked_jobs(people, 0), 2 * BLOCK)) == BLOCK + 1, "as long as a whole block would still fit"


def test_a_shared_work_is_taken_once() -> None:
    both = work()
    assert share(ranked_jobs([Session(looked_at=[both]), Session(looked_at=[both])], 0), 4 * BLOCK) == {both: 1}


@pytest.mark.parametrize(("samples", "blocks"), [(BLOCK, 1), (2 * BLOCK, 2), (3 * BLOCK + 5, 3), (64 * BLOCK, 4)])
def test_a_turn_takes_as_many_blocks_as_fit(samples: int, blocks: int) -> None:
    big = work(samples=64)
    assert share(ranked_jobs([Session(looked_at=[big])], 0), samples) == {big: blocks}


def test_a_turn_is_filled_with_the_works_of_others_of_the_same_level_only() -> None:
    first, second = Session(looked_at=[work()]), Session(looked_at=[work()])
    refining = Session(looked_at=[work(w=(0.5,))], strip=[work(finished=True)])
    assert list(share(ranked_jobs([refining, first, second], 0), 4 * BLOCK)) == [
        first.looked_at[0],
        second.looked_at[0],
    ]
    assert list(share(ranked_jobs([refining], 0), 4 * BLOCK)) == refining.looked_at


def test_nothing_unfinished_is_nothing_to_do() -> None:
    assert share(ranked_jobs([Session(looked_at=[work(finished=True)])], 0), BLOCK) == {}
    assert share([], BLOCK) == {}


def test_a_strip_is_climbed_coarse_first_and_nearest_first() -> None:
    ladder = [request.w[0] for request in strip(replace(A, w=(2.9,)))]
    assert ladder[:5] == [2, 4, 1, 0, 8]
    assert ladder[5:8] == [3, 2.5, 3.5]
    assert len(set(ladder)) == len(ladder)
    assert min(ladder) == 0
    assert {request.seed for request in strip(A)} == {A.seed}


def test_below_0_the_ladder_goes_down_to_minus_1() -> None:
    assert min(request.w[0] for request in strip(replace(A, w=(-0.1,)))) == -1
