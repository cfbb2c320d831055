"""Faults in the running engine: isolated, described in one sentence, and survived."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cfg_core.checkpoints.classifiers import Classifier, ClassifierConfig
from cfg_core.checkpoints.format import Checkpoint
from cfg_core.evaluation.meters import measure_by
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.serving.engine import Engine
from cfg_core.serving.grid_job import GridJob
from cfg_core.serving.limits import Limits
from cfg_core.serving.model import Model
from cfg_core.serving.worker import log
from tests.serving.helpers import PATIENCE, A, B, Gate, alone, finished


def test_a_failing_denoiser_becomes_a_sentence_and_the_worker_lives_on(gate: Gate, gated: Engine) -> None:
    gate.failure = RuntimeError("out of memory")
    token = gated.admit()
    gated.set_demand(token, [A])
    gate.release()
    [frame] = finished(gated, token, [A])
    assert frame.error == "The pictures could not be drawn: out of memory"
    assert frame.pixels is None
    with pytest.raises(RuntimeError, match="out of memory"):
        gated.draw(A)
    gate.failure = None
    [frame] = finished(gated, token, [B])
    assert frame.error is None
    assert np.array_equal(frame.pixels, alone(gated.checkpoint.denoiser, B))


def test_a_classifier_that_overflows_costs_the_meters_and_not_the_pictures(
    tiny_checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    network = ClassifierNetwork(ClassifierArchitecture(1, 8, 10, widths=(16,)))
    with torch.no_grad():
        network.penultimate.weight.fill_(3e38)
    classes = tiny_checkpoint.config.classes
    config = ClassifierConfig(ClassifierArchitecture(1, 8, 10, (16,)), classes, "synthetic", "none", 0.5, 0, "")
    engine = Engine(Model(tiny_checkpoint, measure=measure_by(Classifier(network.eval(), config, "ba9876543210"))))
    try:
        for request in (A, B):
            [frame] = finished(engine, engine.admit(), [request])
            assert (frame.error, frame.meter) == (None, None)
            assert np.array_equal(frame.pixels, alone(tiny_checkpoint.denoiser, request))
    finally:
        engine.close()
    assert caplog.text.count("no meters classifier=ba9876543210") == 1


def test_what_fails_fails_alone(gate: Gate, gated: Engine) -> None:
    mine, yours = gated.admit(), gated.admit()
    gate.poison = 5
    bad = replace(A, classes=(5,))
    gated.set_demand(mine, [A])
    gated.set_demand(yours, [bad])
    gate.release()
    [good_frame], [bad_frame] = finished(gated, mine, [A]), finished(gated, yours, [bad])
    assert bad_frame.error == "The pictures could not be drawn: poisoned"
    assert good_frame.error is None
    gate.poison = None
    assert np.array_equal(good_frame.pixels, alone(gated.checkpoint.denoiser, A))
    [again] = finished(gated, gated.admit(), [bad])
    assert np.array_equal(again.pixels, alone(gated.checkpoint.denoiser, bad))


def test_out_of_memory_halves_the_batch_and_goes_on(gate: Gate) -> None:
    engine = Engine(Model(gate.checkpoint), Limits(samples=64))
    gate.largest = 20
    try:
        token, wide = engine.admit(), replace(A, samples=64)
        engine.set_demand(token, [wide])
        gate.release()
        [frame] = finished(engine, token, [wide])
        assert frame.error is None
        assert engine.worker.samples == 16
        gate.largest = None
        assert np.array_equal(frame.pixels, alone(gate, wide))
    finally:
        engine.close()


def test_what_fails_while_its_frame_is_made_fails_alone(
    gated: Engine, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_frame = GridJob.update_frame

    def late(job: GridJob, *arguments: Any) -> bool:
        if job.request == B:
            raise RuntimeError("a late error of the device")
        return update_frame(job, *arguments)

    monkeypatch.setattr(GridJob, "update_frame", late)
    mine, yours = gated.admit(), gated.admit()
    gated.set_demand(mine, [A])
    gated.set_demand(yours, [B])
    gate.release()
    assert finished(gated, yours, [B])[0].error == "The pictures could not be drawn: a late error of the device"
    assert np.array_equal(finished(gated, mine, [A])[0].pixels, alone(gated.checkpoint.denoiser, A))


def test_out_of_memory_for_the_smallest_batch_is_a_sentence(gate: Gate, gated: Engine) -> None:
    gate.largest = 3
    gate.release()
    with pytest.raises(RuntimeError, match="too many samples"):
        gated.draw(A)


def test_a_worker_that_breaks_down_is_restarted_and_waiting_sessions_are_notified(
    gate: Gate, gated: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    token = gated.admit()
    gated.set_demand(token, [A])
    gate.arrived()
    gate.failure = SystemExit()
    gate.release()
    [frame] = finished(gated, token, [A])
    assert frame.error == "The worker broke down and was restarted; the next request will be drawn."
    assert "worker restarted" in caplog.text
    gate.failure = None
    assert np.array_equal(gated.draw(B), alone(gated.checkpoint.denoiser, B))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_worker_is_replaced_at_the_next_demand(
    gate: Gate, gated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left for the log")

    token = gated.admit()
    gated.set_demand(token, [A])
    gate.arrived()
    with monkeypatch.context() as broken:
        broken.setattr(log, "exception", full)
        gate.failure = SystemExit()
        gate.release()
        gated.worker.join(PATIENCE)
    gate.failure = None
    assert not gated.worker.alive
    assert np.array_equal(gated.draw(B), alone(gated.checkpoint.denoiser, B))
    assert finished(gated, token, [A])[0].error is None
