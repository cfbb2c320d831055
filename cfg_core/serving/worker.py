"""The worker: the one thread that evaluates, round after round, the blocks that the scheduler chose."""

import logging
import threading
from collections.abc import Callable, Mapping

import torch

from cfg_core.sampling.loop import advance_jobs
from cfg_core.serving.grid_job import BLOCK, GridJob
from cfg_core.serving.model import Model

log = logging.getLogger(__name__)


RECOVERY_ROUNDS = 1000
"""After the GPU ran out of memory, a round may be twice as large again after this many rounds without that."""


RESTARTED = "The worker broke down and was restarted; the next request will be drawn."


class Worker:
    """Evaluates rounds of blocks until ``next_round`` returns none.

    samples: of one round; half as many, down to a block, each time the GPU's memory does not suffice.

    models: hash of the checkpoint → model. next_round: the number of samples → blocks of each job, once there are any;
    nothing ends the worker. publish: the jobs of a round that have a new frame or have failed, and how many evaluations
    of one sample were made. abort: fails all jobs in progress, with a sentence.
    """

    def __init__(
        self,
        samples: int,
        models: Callable[[str], Model],
        next_round: Callable[[int], Mapping[GridJob, int]],
        publish: Callable[[set[GridJob], int], None],
        abort: Callable[[str], None],
    ) -> None:
        self.samples = self._most = samples
        self._models = models
        self._next_round, self._publish, self._abort = next_round, publish, abort
        self._rounds_since_shortage = 0
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if not self.alive:
            self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
            self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended, at most so many seconds."""
        if self._thread:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._run_rounds():
            pass

    def _run_rounds(self) -> bool:
        """Evaluate rounds until there are none; returns False after an exception outside an evaluation, which fails all
        jobs in progress."""
        try:
            while blocks := self._next_round(self.samples):
                made = self._evaluate(blocks)
                self._publish({job for job in blocks if self._update(job)}, made)
        except BaseException:
            log.exception("worker restarted")
            self._abort(RESTARTED)
            return False
        return True

    def _evaluate(self, blocks: Mapping[GridJob, int]) -> int:
        """One evaluation of all blocks of a model together, or if that fails, of each job alone; a job that fails alone
        has failed. Returns the number of samples that were evaluated."""
        by_model: dict[str, dict[GridJob, int]] = {}
        for job, count in blocks.items():
            by_model.setdefault(job.request.checkpoint, {})[job] = count
        if len(by_model) > 1:
            return sum(self._evaluate(of_one) for of_one in by_model.values())
        [digest] = by_model
        denoiser = self._models(digest).checkpoint.denoiser
        try:
            parts = [part for job, count in blocks.items() for part in job.next_blocks(denoiser, count)]
            advance_jobs(denoiser, parts)
        except torch.OutOfMemoryError as failure:
            if self.samples == BLOCK:
                return self._evaluate_each(blocks, failure)
            self._halve()
            return 0
        except Exception as failure:
            return self._evaluate_each(blocks, failure)
        self._recover()
        return sum(len(part.labels) for part in parts)

    def _evaluate_each(self, blocks: Mapping[GridJob, int], failure: Exception) -> int:
        if len(blocks) > 1:
            return sum(self._evaluate({job: count}) for job, count in blocks.items())
        [job] = blocks
        self._fail(job, failure)
        return 0

    def _halve(self) -> None:
        self.samples, self._rounds_since_shortage = max(BLOCK, self.samples // 2), 0
        log.warning("out of memory samples=%d", self.samples)
        torch.cuda.empty_cache()

    def _recover(self) -> None:
        if self.samples == self._most:
            return
        self._rounds_since_shortage += 1
        if self._rounds_since_shortage >= RECOVERY_ROUNDS:
            self.samples, self._rounds_since_shortage = min(self._most, 2 * self.samples), 0
            log.info("trying larger rounds samples=%d", self.samples)

    def _update(self, job: GridJob) -> bool:
        """Whether a job has a new frame, or has failed."""
        try:
            return job.update_frame(self._models(job.request.checkpoint).measure) or job.frame.error is not None
        except Exception as failure:  # a device reports late
            self._fail(job, failure)
            return True

    def _fail(self, job: GridJob, failure: Exception) -> None:
        log.error("failed request=%s", job.request.to_json(), exc_info=failure)
        job.fail(f"The pictures could not be drawn: {failure}")
