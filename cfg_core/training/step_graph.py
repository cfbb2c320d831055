"""Whole training steps on one GPU, replayed as one CUDA graph.

The launches of a step's kernels take longer than their arithmetic; a captured step is one launch. It reads nothing from
the host: the images lie on the device, and a counter there picks the rows of a few tables (which images, the
learning rate, the shares of the EMAs) that are filled for some steps at a time. Random numbers come from the device's
generator, seeded for each step, so that a run resumes as it does on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cfg_core.training.batches import Batches
from cfg_core.training.ema import shares
from cfg_core.training.learning_rate import learning_rate

if TYPE_CHECKING:
    from cfg_core.training.trainer import Trainer

WARM_UP = 3
"""Steps before the capture, in which kernels are compiled and chosen; their results are discarded."""


class StepGraph:
    """The steps of a trainer, on its device, one by one until they are captured. most: how many the tables hold."""

    def __init__(self, trainer: Trainer, most: int) -> None:
        device, options, dataset = trainer.accelerator.device, trainer.options, trainer.dataset
        self._trainer = trainer
        self._batches = Batches(
            options, replace(dataset, images=dataset.images.to(device), labels=dataset.labels.to(device))
        )
        most = max(most, WARM_UP + 1)
        self._at = torch.zeros(1, dtype=torch.long, device=device)
        self._rows = torch.zeros(most, options.batch, dtype=torch.long, device=device)
        self._learning_rates = torch.zeros(most, device=device)
        self._shares = torch.zeros(most, len(options.ema), device=device)
        self._found = torch.zeros(most, 2, device=device)
        self._sums = torch.zeros(2, 2, device=device)
        self._generator = torch.Generator()
        if device.type == "cuda":  # graphs know the default one
            self._generator = torch.cuda.default_generators[torch.cuda.current_device()]
        self._step: Callable[[], None] = self.step

    @staticmethod
    def serves(trainer: Trainer) -> bool:
        """Whether the run is one of a single process on a GPU whose free memory holds the images twice."""
        device = trainer.accelerator.device
        if device.type != "cuda" or trainer.accelerator.num_processes > 1:
            return False
        return 2 * trainer.dataset.images.nbytes < torch.cuda.mem_get_info(device)[0]

    def advance(self, first: int, count: int) -> Tensor:
        """Steps first … first + count − 1: the sums of ``Trainer.gradients`` over them.

        Raises NotFiniteError as ``Trainer.advance`` does, but after weights have changed.
        """
        trainer, steps = self._trainer, range(first, first + count)
        self._rows[:count] = torch.stack([self._batches.rows(step) for step in steps])
        self._learning_rates[:count] = torch.tensor([learning_rate(trainer.options, step) for step in steps])
        self._shares[:count] = torch.stack([shares(trainer.options.ema, step + 1) for step in steps])
        self._at.zero_()
        self._sums.zero_()
        for step in steps:
            self._generator.manual_seed(self._batches.seed(step))
            self._step()
        for step, (loss, norm) in zip(steps, self._found[:count].tolist(), strict=True):
            trainer.check_step(step, loss, norm)
        return self._sums.clone()

    def step(self) -> None:
        """One step. An ordinary function, which a GPU captures: nothing in it waits for the device."""
        at = self._at
        batch = self._batches.draw(self._rows.index_select(0, at).flatten(), self._generator)
        sums, loss, norm = self._trainer.gradients(batch)
        self._found.index_copy_(0, at, torch.stack([loss, norm])[None])
        self._sums.add_(sums)
        self._trainer.update(
            self._learning_rates.index_select(0, at).squeeze(0), self._shares.index_select(0, at).squeeze(0)
        )
        at.add_(1)

    def captured(self) -> StepGraph:
        """The same, its steps replayed as one graph from now on; nothing has advanced. Needs a GPU."""
        trainer = self._trainer
        before = {name: t.clone() for name, t in trainer.tensors().items()}
        if find_spec("triton"):  # which compiles for GPUs, and is not made for every system
            trainer.model.compile()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        trainer.restore(before)
        self._step = graph.replay
        return self
