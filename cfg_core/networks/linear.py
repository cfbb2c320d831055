"""A linear layer whose rows do not depend on their batch."""

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """``nn.Linear`` on (N, in) to (N, out). In evaluation mode every row is a product of its own, on a CPU in float32.

    On CPUs without AVX-512, MKL rounds a row differently in products of more or fewer rows; and in bfloat16 products of
    one row are ten times slower. In training, where neither matters, all rows are one product, which is faster.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return self._rows(x)
        with torch.autocast("cpu", enabled=False):
            return self._rows(x.float()).to(torch.get_autocast_dtype("cpu"))

    def _rows(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x[:, None], self.weight.t().expand(len(x), -1, -1))[:, 0]
