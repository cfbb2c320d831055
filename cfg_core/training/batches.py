"""The batch of a step. Every random number of training is a function of seed and step, so no generator
is saved to resume."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cfg_core.data.datasets import DataSet
from cfg_core.data.pixels import mirrored, to_unit
from cfg_core.training.loss import drop_labels, stratified
from cfg_core.training.options import Options


class Batch(NamedTuple):
    """x (B, C, S, S) in [−1, 1], labels (B,), some of them dropped, u (B,) in [0, 1] and ε (B, C, S, S)."""

    x: Tensor
    labels: Tensor
    u: Tensor
    eps: Tensor


class Batches:
    """The batches of a run, one a step, for all processes together; each image once an epoch, in an order of that
    epoch's own."""

    def __init__(self, options: Options, dataset: DataSet) -> None:
        self._options, self._dataset = options, dataset
        self._orders: dict[int, Tensor] = {}

    def at(self, step: int) -> Batch:
        """The batch of step 0, 1, …, on the CPU."""
        return self.draw(self.rows(step), torch.Generator().manual_seed(self.seed(step)))

    def rows(self, step: int) -> Tensor:
        """Which images are in the batch of a step: (B,), on the CPU."""
        count, first, last = len(self._dataset.labels), step * self._options.batch, (step + 1) * self._options.batch
        epochs = range(first // count, (last - 1) // count + 1)
        known = self._orders
        self._orders = {epoch: known[epoch] if epoch in known else self._order(epoch) for epoch in epochs}
        return torch.cat([self._orders[e][max(0, first - e * count) : last - e * count] for e in epochs])

    def seed(self, step: int) -> int:
        """Of the random numbers of a step's batch."""
        return _seed(self._options.seed, 1, step)

    def draw(self, rows: Tensor, generator: torch.Generator) -> Batch:
        """The batch of these images, on the generator's device, where rows and the data set must be."""
        options, dataset = self._options, self._dataset
        labels = dataset.labels.index_select(0, rows)
        labels = drop_labels(labels, options.network.num_classes, options.p_uncond, generator)
        u = stratified(len(rows), generator)
        x = to_unit(mirrored(dataset.images.index_select(0, rows), 0.5 if dataset.mirror else 0, generator))
        return Batch(x, labels, u, torch.randn(x.shape, generator=generator, device=generator.device))

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(_seed(self._options.seed, 0, epoch))
        return torch.randperm(len(self._dataset.labels), generator=generator)


def _seed(*key: int) -> int:
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1
