"""A linear layer whose rows do not depend on their batch."""

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """``nn.Linear`` on (N, in) to (N, out). In evaluation mode every row is a product of its own.

    On CPUs without AVX-512, MKL rounds a row differently in products of more or fewer rows. In training, where that
    does not matter, all rows are one product, which is faster.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        return torch.baddbmm(self.bias, x[:, None], self.weight.t().expand(len(x), -1, -1))[:, 0]
