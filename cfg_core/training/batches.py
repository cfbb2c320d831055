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
    """The batches of a run, one a step, on the CPU; each image once an epoch, in an order of that epoch's own."""

    def __init__(self, options: Options, dataset: DataSet) -> None:
        self._options, self._dataset = options, dataset
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def at(self, step: int) -> Batch:
        """The batch of step 0, 1, …, for all processes together."""
        options, dataset, count = self._options, self._dataset, len(self._dataset.labels)
        positions = range(step * options.batch, (step + 1) * options.batch)
        chosen = torch.stack([self._shuffled(p // count)[p % count] for p in positions])
        generator = _generator(options.seed, 1, step)
        labels = drop_labels(dataset.labels[chosen], options.network.num_classes, options.p_uncond, generator)
        u = stratified(options.batch, generator)
        x = to_unit(mirrored(dataset.images[chosen], 0.5 if dataset.mirror else 0, generator))
        return Batch(x, labels, u, torch.randn(x.shape, generator=generator))

    def _shuffled(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = torch.randperm(len(self._dataset.labels), generator=_generator(self._options.seed, 0, epoch))
        return self._order


def _generator(*key: int) -> torch.Generator:
    return torch.Generator().manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1)
