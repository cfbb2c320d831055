"""What the service measures of itself."""

import pytest

from cfg_core.serving.engine import Engine
from cfg_core.serving.statistics import RATE_WINDOW, REPORT_INTERVAL, Recorder
from tests.serving.helpers import PATIENCE, A, Gate, finished


class Clock:
    """Seconds that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_forgets_what_is_older_than_its_window() -> None:
    clock = Clock()
    recorder = Recorder(clock)
    recorder.add_evaluations(30)
    clock.now += RATE_WINDOW / 2
    recorder.add_evaluations(50)
    assert recorder.rate == 80 / RATE_WINDOW
    clock.now += RATE_WINDOW / 2 + 1
    assert recorder.rate == 50 / RATE_WINDOW
    clock.now += RATE_WINDOW
    assert (recorder.rate, recorder.evaluations) == (0, 80)


def test_percentiles_are_those_of_the_latencies() -> None:
    recorder = Recorder()
    assert recorder.first_image == (None, None)
    for seconds in range(101):
        recorder.add_first_image(seconds)
    assert recorder.first_image == pytest.approx((50, 95))


def test_a_report_is_due_once_an_interval() -> None:
    clock = Clock()
    recorder = Recorder(clock)
    assert not recorder.report_is_due()
    clock.now += REPORT_INTERVAL + 1
    assert recorder.report_is_due()
    assert not recorder.report_is_due()


def test_stats_describe_what_is_in_progress_and_what_was_done(gate: Gate, gated: Engine) -> None:
    token, idle = gated.admit(), gated.admit()
    gated.set_demand(token, [A])
    gated.set_demand(idle, [])
    gate.arrived()
    gate.step()
    stats = gated.stats()
    assert (stats.sessions, stats.queued, stats.waiting, stats.samples_in_flight) == (2, 0, 1, A.samples)
    assert (stats.rounds, stats.evaluations, stats.first_image_p50) == (2, A.samples, None)
    gate.release()
    finished(gated, token, [A])
    stats = gated.stats()
    assert (stats.waiting, stats.samples_in_flight, stats.cached) == (0, 0, 1)
    assert stats.evaluations == A.samples * A.evaluations
    assert 0 < stats.first_image_p50 <= stats.first_image_p95 < PATIENCE
