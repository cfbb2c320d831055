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
    """Gives the worker all blocks of all unfinished jobs, and records what it publishes."""

    def __init__(self, gate: Gate, *jobs: GridJob, samples: int = 64) -> None:
        gate.release()
        self.jobs, self.batches = jobs, []
        self.evaluations = 0
        self.aborted = ""
        self.before: Callable[[], None] = lambda: None
        model = Model(gate.checkpoint)
        self.worker = Worker(samples, lambda _: model, self.next_round, self.publish, self.abort)

    def next_round(self, samples: int) -> Mapping[GridJob, int]:
        self.batches.append(samples)
        before, self.before = self.before, lambda: None
        before()
        unfinished = [job for job in self.jobs if not job.frame.done]
        return {job: min(job.pending_blocks, samples // BLOCK) for job in unfinished[:1] or unfinished}

    def publish(self, changed: set[GridJob], evaluations: int) -> None:
        self.evaluations += evaluations

    def abort(self, sentence: str) -> None:
        self.aborted = sentence

    def run(self) -> "Rounds":
        self.worker.start()
        self.worker.join(PATIENCE)
        assert not self.worker.alive
        return self


class Together(Rounds):
    """All jobs in one round."""

    def next_round(self, samples: int) -> Mapping[GridJob, int]:
        self.batches.append(samples)
        return {job: job.pending_blocks for job in self.jobs if not job.frame.done}


def job(serial: int = 0, **changes: object) -> GridJob:
    return GridJob(Frame(replace(A, **changes), serial))  # type: ignore[arg-type]


def test_it_evaluates_until_it_is_given_nothing(gate: Gate) -> None:
    one, other = job(), GridJob(Frame(B, 1))
    rounds = Together(gate, one, other).run()
    for each in (one, other):
        assert each.frame.pixels is not None
        assert np.array_equal(each.frame.pixels, alone(gate, each.request))
    assert rounds.evaluations == 2 * A.samples * A.evaluations
    assert rounds.aborted == ""


def test_a_job_that_fails_fails_alone(gate: Gate) -> None:
    gate.poison = 5
    good, bad = job(), job(1, classes=(5,))
    rounds = Together(gate, bad, good).run()
    assert bad.frame.error == "The pictures could not be drawn: poisoned"
    assert good.frame.error is None
    assert rounds.evaluations == A.samples * A.evaluations


def test_what_breaks_outside_an_evaluation_ends_all_jobs_and_the_worker_goes_on(gate: Gate) -> None:
    rounds = Rounds(gate, job())

    def broken() -> None:
        raise KeyError("a bug")

    rounds.before = broken
    rounds.run()
    assert rounds.aborted == RESTARTED
    assert rounds.jobs[0].frame.error is None
    assert rounds.jobs[0].frame.done


def test_out_of_memory_halves_the_rounds_and_they_grow_again(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "RECOVERY_ROUNDS", 3)
    gate.largest = 20
    rounds = Rounds(gate, job(samples=64, steps=5))

    def plenty() -> None:
        gate.largest = None

    rounds.before = lambda: setattr(rounds, "before", plenty)  # from the second round on memory suffices
    rounds.run()
    assert rounds.batches[:2] == [64, 32]
    assert rounds.batches[-1] == 64
    assert rounds.jobs[0].frame.error is None
    assert np.array_equal(rounds.jobs[0].frame.pixels, alone(gate, rounds.jobs[0].request))  # type: ignore[arg-type]


def test_it_is_started_once(gate: Gate) -> None:
    rounds, entered, go = Rounds(gate, job()), threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert go.wait(PATIENCE)

    rounds.before = hold
    rounds.worker.start()
    assert entered.wait(PATIENCE)
    before = threading.active_count()
    rounds.worker.start()
    assert threading.active_count() == before
    go.set()
    rounds.worker.join(PATIENCE)
    assert rounds.jobs[0].frame.done
