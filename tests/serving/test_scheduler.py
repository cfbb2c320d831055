"""The queue's policy: pure bookkeeping, without a denoiser."""

from dataclasses import replace
from itertools import count

import pytest

from cfg_core.grids.ladder import strip
from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import BLOCK, Frame, GridJob
from cfg_core.serving.scheduler import (
    AGING,
    FOLLOWERS,
    REFINE_EVERY,
    Level,
    allocate_blocks,
    plan_round,
    ranked_jobs,
)
from cfg_core.serving.sessions import Session

A = GridRequest("0123456789ab", (3,), (2.0,), samples=16, steps=5)
serials = count()


def job(finished: bool = False, **changes: object) -> GridJob:
    request = replace(A, **changes)  # type: ignore[arg-type]
    return GridJob(Frame(request, next(serials), request.evaluations if finished else 0))


def order(*sessions: Session, number: int = 0) -> list[GridJob]:
    """All but the reserved one, in their order."""
    return [job for (level, *_), _, job in ranked_jobs(sessions, number) if level is not Level.RESERVED]


def test_without_an_image_the_shortest_grid_goes_first_whenever_it_came() -> None:
    long, short, middle = job(samples=64), job(steps=3), job()
    assert order(*(Session(displayed=[each]) for each in (long, short, middle))) == [short, middle, long]


def test_a_first_image_goes_before_an_exact_one_and_that_before_strips() -> None:
    better, rung, next_rung = job(w=(3.0,)), job(w=(4.0,)), job(w=(5.0,))
    old = Session(displayed=[better], prefetch=[job(finished=True, w=(2.5,)), rung, next_rung])
    newcomer = Session(displayed=[job(samples=64), job(w=(0.0,))])
    waiting = Session(displayed=[job(finished=True)], prefetch=[job(w=(6.0,))])
    found = order(old, newcomer, waiting)
    assert found[0] is newcomer.displayed[0]
    assert set(found[1:3]) == {better, newcomer.displayed[1]}
    assert set(found[3:5]) == {waiting.prefetch[0], rung}
    assert found[5] is next_rung


def test_an_exact_image_has_one_block_of_every_few_rounds() -> None:
    refining = Session(displayed=[job(samples=64, w=(3.0,)), job(samples=64, w=(0.0,))], prefetch=[job(finished=True)])
    newcomers = [Session(displayed=[job()]) for _ in range(4)]
    firsts = [session.displayed[0] for session in newcomers]
    assert allocate_blocks(ranked_jobs([refining, *newcomers], 2 * REFINE_EVERY), 4 * BLOCK) == dict.fromkeys(firsts, 1)
    reserved = allocate_blocks(ranked_jobs([refining, *newcomers], 2 * REFINE_EVERY + 1), 4 * BLOCK)
    assert reserved == {refining.displayed[0]: 1} | dict.fromkeys(firsts[:3], 1)


def test_an_exact_image_that_was_begun_is_finished_before_another_is_begun() -> None:
    begun, whole = job(steps=4), job(steps=5)
    sessions = [Session(displayed=[each], prefetch=[job(finished=True)]) for each in (whole, begun)]
    assert order(*sessions) == [begun, whole]


def test_where_no_session_waits_for_a_first_image_the_round_is_half_as_long() -> None:
    first, strip_only = Session(displayed=[job(samples=64)]), Session(prefetch=[job(samples=64)])
    assert allocate_blocks(ranked_jobs([first], 0), 4 * BLOCK) == {first.displayed[0]: 4}
    assert allocate_blocks(ranked_jobs([strip_only], 0), 4 * BLOCK) == {strip_only.prefetch[0]: 2}


@pytest.mark.parametrize(("w", "enough"), [(3.0, True), (3.25, True), (1.0, False), (8.0, False)])
def test_an_image_counts_where_the_strip_will_have_no_nearer_one(w: float, enough: bool) -> None:
    session = Session(displayed=[job(w=(3.2,)), job(finished=True, w=(w,))], prefetch=[job(w=(3.0,)), job(w=(4.0,))])
    assert session.has_image is enough


def test_strips_are_served_in_turn() -> None:
    sessions = [
        Session(displayed=[job(finished=True)], prefetch=[job(), job()], last_served=served) for served in (7, 3, 5)
    ]
    found = order(*sessions, number=8)
    assert found == [sessions[i].prefetch[rung] for rung in (0, 1) for i in (1, 2, 0)]


def test_one_block_of_a_round_is_of_the_grid_that_has_waited_for_long() -> None:
    large = Session(displayed=[job(samples=64)], waiting_since=0)
    longer = large.displayed[0].remaining - job().remaining
    for waited, first in ((longer // AGING - 1, 1), (longer // AGING + 1, 0)):
        newcomer = Session(displayed=[job()], waiting_since=waited)
        assert (
            next(iter(allocate_blocks(ranked_jobs([large, newcomer], 0), BLOCK)))
            is (large, newcomer)[first].displayed[0]
        )


def test_a_job_that_waits_for_long_takes_no_more_than_a_block_from_shorter_grids() -> None:
    patient = Session(displayed=[job(samples=64, steps=100)], waiting_since=-(10**6))
    newcomers = [Session(displayed=[job()]) for _ in range(4)]
    assert allocate_blocks(ranked_jobs([patient, *newcomers], 0), 4 * BLOCK) == {
        patient.displayed[0]: 1,
        **{session.displayed[0]: 1 for session in newcomers[:3]},
    }


@pytest.mark.parametrize("steps", [1, 2, 12, 50])
def test_no_session_has_a_second_block_before_each_has_one(steps: int) -> None:
    greedy, other = Session(displayed=[job(samples=64, steps=steps)]), Session(displayed=[job(steps=12)])
    assert allocate_blocks(ranked_jobs([greedy, other], 0), 4 * BLOCK) == {
        greedy.displayed[0]: 3,
        other.displayed[0]: 1,
    }


def test_strips_do_not_shut_out_a_newcomer() -> None:
    crowd = [Session(displayed=[job(finished=True)], prefetch=[job()], waiting_since=-(10**6)) for _ in range(60)]
    newcomer = Session(displayed=[job()])
    for number in range(REFINE_EVERY):
        assert list(allocate_blocks(ranked_jobs([*crowd, newcomer], number), 2 * BLOCK)) == newcomer.displayed


def test_small_grids_do_not_take_the_place_of_whole_blocks() -> None:
    sessions = [Session(displayed=[job(samples=1)]) for _ in range(20)]
    assert len(allocate_blocks(ranked_jobs(sessions, 0), 2 * BLOCK)) == BLOCK + 1, (
        "as long as a whole block would still fit"
    )


def test_a_shared_job_is_taken_once() -> None:
    both = job()
    assert allocate_blocks(ranked_jobs([Session(displayed=[both]), Session(displayed=[both])], 0), 4 * BLOCK) == {
        both: 1
    }


@pytest.mark.parametrize(("samples", "blocks"), [(BLOCK, 1), (2 * BLOCK, 2), (3 * BLOCK + 5, 3), (64 * BLOCK, 4)])
def test_a_round_takes_as_many_blocks_as_fit(samples: int, blocks: int) -> None:
    big = job(samples=64)
    assert allocate_blocks(ranked_jobs([Session(displayed=[big])], 0), samples) == {big: blocks}


def test_a_round_is_filled_with_the_jobs_of_others_of_the_same_level_only() -> None:
    first, second = Session(displayed=[job()]), Session(displayed=[job()])
    refining = Session(displayed=[job(w=(0.5,))], prefetch=[job(finished=True)])
    assert list(allocate_blocks(ranked_jobs([refining, first, second], 0), 4 * BLOCK)) == [
        first.displayed[0],
        second.displayed[0],
    ]
    assert list(allocate_blocks(ranked_jobs([refining], 0), 4 * BLOCK)) == refining.displayed


def test_nothing_unfinished_is_nothing_to_do() -> None:
    assert allocate_blocks(ranked_jobs([Session(displayed=[job(finished=True)])], 0), BLOCK) == {}
    assert allocate_blocks([], BLOCK) == {}


def test_a_strip_is_climbed_coarse_first_and_nearest_first() -> None:
    ladder = [request.w[0] for request in strip(replace(A, w=(2.9,)))]
    assert ladder[:5] == [2, 4, 1, 0, 8]
    assert ladder[5:8] == [3, 2.5, 3.5]
    assert len(set(ladder)) == len(ladder)
    assert min(ladder) == 0
    assert {request.seed for request in strip(A)} == {A.seed}


def test_below_0_the_ladder_goes_down_to_minus_1() -> None:
    assert min(request.w[0] for request in strip(replace(A, w=(-0.1,)))) == -1


def test_a_plan_says_who_is_served_and_how_many_go_before_the_others() -> None:
    sessions = [Session(displayed=[job(samples=16 * n)]) for n in (3, 1, 2)]
    content = Session(displayed=[job(finished=True)], prefetch=[job()])
    plan = plan_round([*sessions, content], 0, BLOCK)
    assert plan.blocks == {sessions[1].displayed[0]: 1}
    assert plan.served == {sessions[1]}
    assert plan.ahead == {sessions[1]: 0, sessions[2]: 1, sessions[0]: 2}


def test_jobs_of_a_remote_gpu_are_not_planned() -> None:
    remote, local = Session(displayed=[job(checkpoint="remote")]), Session(displayed=[job(samples=64)])
    plan = plan_round([remote, local], 0, BLOCK, {"remote"})
    assert plan.blocks == {local.displayed[0]: 1}
    assert plan.ahead == {local: 0}
    assert plan_round([remote], 0, BLOCK, {"remote"}).blocks == {}


def test_what_a_class_looks_at_goes_first_and_others_keep_the_reserved_block() -> None:
    guided, unguided, other = job(samples=64), job(w=(0.0,)), job(steps=3)
    of_class = Session(displayed=[guided, unguided], prefetch=[job(w=(4.0,))], followers=FOLLOWERS)
    teacher, visitor = Session(displayed=[guided, unguided]), Session(displayed=[other])
    assert order(visitor, teacher, of_class)[0] is guided
    alone = allocate_blocks(ranked_jobs([teacher, of_class], 0), 4 * BLOCK)
    assert alone[guided] >= 3
    assert allocate_blocks(ranked_jobs([visitor, of_class], 0), 4 * BLOCK) == {other: 1, guided: 3}


def test_of_several_classes_that_wait_the_one_with_the_most_followers_goes_first_if_they_are_enough() -> None:
    jobs = [job(samples=16 * n, steps=9) for n in range(1, 4)]
    small, large, few = (
        Session(displayed=[each], followers=followers)
        for each, followers in zip(jobs, (FOLLOWERS, FOLLOWERS + 1, FOLLOWERS - 1), strict=True)
    )
    idle, visitor = Session(followers=99), Session(displayed=[job(steps=3)])
    assert order(few, visitor)[0] is visitor.displayed[0]
    ranked = ranked_jobs([small, large, few, idle, visitor], 0)
    assert [session for (level, *_), session, _ in ranked if level is Level.CLASS] == [large]
