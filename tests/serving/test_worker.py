"""The worker on its own, given its rounds by the test: it evaluates, isolates faults, and recovers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from cfg_core.serving import worker as worker_module
from cfg_core.serving.grid_job import BLOCK, Frame, GridJob
from cfg_core.serving.model import Model
from cfg_core.serving.worker import RESTARTED, Worker
from tests.serving.helpers import PATIENCE, A, B, Gate, alone


class Rounds:
    """Gives a worker blocks of all unfinished jobs, and records what it asks for and publishes.

    before: called at the beginning of each round, with its number.
    """

    def __init__(self, gate: Gate, *jobs: GridJob, before: Callable[[int], None] = lambda _: None) -> None:
        gate.release()
        self.jobs, self.before = jobs, before
        self.samples: list[int] = []
        self.evaluations = 0
        self.aborted = ""
        model = Model(gate.checkpoint)
        self.worker = Worker(64, lambda _: model, self.next_round, self.publish, self.abort)

    def next_round(self, samples: int) -> Mapping[GridJob, int]:
        self.samples.append(samples)
        self.before(len(self.samples))
        return {job: min(job.pending_blocks, samples // BLOCK) for job in self.jobs if not job.frame.done}

    def publish(self, changed: set[GridJob], evaluations: int) -> None:
        self.evaluations += evaluations

    def abort(self, sentence: str) -> None:
        self.aborted = sentence

    def run(self) -> "Rounds":
        self.worker.start()
        self.worker.join(PATIENCE)
        assert not self.worker.alive
        return self


def job(serial: int = 0, **changes: object) -> GridJob:
    return GridJob(Frame(replace(A, **changes), serial))  # type: ignore[arg-type]


def test_it_evaluates_until_it_is_given_nothing(gate: Gate) -> None:
    one, other = job(), GridJob(Frame(B, 1))
    rounds = Rounds(gate, one, other).run()
    assert gate.rows == [2 * 2 * A.samples] * A.evaluations, "both jobs in each evaluation"
    for each in (one, other):
        assert each.frame.pixels is not None
        assert np.array_equal(each.frame.pixels, alone(gate, each.request))
    assert rounds.evaluations == 2 * A.samples * A.evaluations
    assert rounds.aborted == ""


def test_a_job_that_fails_fails_alone(gate: Gate) -> None:
    gate.poison = 5
    good, bad = job(), job(1, classes=(5,))
    rounds = Rounds(gate, bad, good).run()
    assert bad.frame.error == "The pictures could not be drawn: poisoned"
    assert good.frame.error is None
    assert rounds.evaluations == A.samples * A.evaluations


def test_what_breaks_outside_an_evaluation_ends_all_jobs_and_the_worker_goes_on(gate: Gate) -> None:
    def broken(number: int) -> None:
        if number == 1:
            raise KeyError("a bug")

    rounds = Rounds(gate, job(), before=broken).run()
    assert rounds.aborted == RESTARTED
    assert rounds.jobs[0].frame.error is None
    assert rounds.jobs[0].frame.done


def test_out_of_memory_halves_the_rounds_and_they_grow_again(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "RECOVERY_ROUNDS", 3)
    gate.largest = 20

    def memory_is_freed(number: int) -> None:
        if number == 3:
            gate.largest = None

    rounds = Rounds(gate, job(samples=64), before=memory_is_freed).run()
    assert rounds.samples[:6] == [64, 32, 16, 16, 16, 32]
    assert rounds.samples[-1] == 64
    [wide] = rounds.jobs
    assert wide.frame.pixels is not None
    assert np.array_equal(wide.frame.pixels, alone(gate, wide.request))


def test_it_is_started_once(gate: Gate) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        entered.set()
        assert go.wait(PATIENCE)

    rounds = Rounds(gate, job(), before=hold)
    rounds.worker.start()
    assert entered.wait(PATIENCE)
    before = threading.active_count()
    rounds.worker.start()
    assert threading.active_count() == before
    go.set()
    rounds.worker.join(PATIENCE)
    assert rounds.jobs[0].frame.done
