"""Muon (Jordan et al., 2024) of convolution kernels, all matrices of one shape together.

``torch.optim.Muon`` takes one matrix after the other and its learning rate as a number: on a GPU that is hundreds of
small launches, and a CUDA graph would keep the number. This is the same update for stacks of matrices
(tests/training/test_muon.py), with the learning rate as a tensor.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

MOMENTUM, WEIGHT_DECAY = 0.95, 0.01


UNIT_MOMENTUM, UNIT_SCALE = 0.6, 24
"""Of unit kernels. The scale makes learning rates of AdamW's size right for them too."""


ITERATIONS, COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration, as its authors chose them."""


class Muon:
    """Kernels (out, in, k, k), each as the matrix (out, k·k·in), and their momenta.

    A step is scaled to the size of AdamW's (Liu et al., arXiv 2502.16982), so that one learning rate serves both.

    unit: for kernels with a batch normalisation after them, to which their length is nothing, as airbench trains them
    (Jordan, arXiv 2404.00498): in place of the weight decay, the rows of a kernel are given the mean square length 1
    before each step, so that the learning rate alone decides by what angle the step turns it.
    """

    def __init__(self, kernels: Mapping[str, nn.Parameter], unit: bool = False) -> None:
        self._unit, self._momentum = unit, UNIT_MOMENTUM if unit else MOMENTUM
        self._stacks: list[tuple[list[Tensor], Tensor]] = []
        self._momenta: dict[str, Tensor] = {}
        shapes: dict[torch.Size, list[str]] = {}
        for name, kernel in kernels.items():
            shapes.setdefault(_matrix(kernel).shape, []).append(name)
        for shape, names in shapes.items():
            momenta = kernels[names[0]].new_zeros(len(names), *shape)
            self._stacks.append(([kernels[name] for name in names], momenta))
            self._momenta |= dict(zip(names, momenta, strict=True))

    @torch.no_grad()
    def step(self, learning_rate: Tensor) -> None:
        """One step from the kernels' gradients. learning_rate: 0-dimensional, on their device."""
        for kernels, momenta in self._stacks:
            gradients = torch.stack([_matrix(_gradient(kernel)) for kernel in kernels])
            momenta.lerp_(gradients, 1 - self._momentum)
            scale = UNIT_SCALE if self._unit else 0.2 * math.sqrt(max(momenta.shape[1:]))
            steps = orthogonal(gradients.lerp_(momenta, self._momentum)).float() * (learning_rate * scale)
            if self._unit:
                torch._foreach_mul_(kernels, [len(kernel) ** 0.5 / kernel.norm() for kernel in kernels])
            else:
                torch._foreach_mul_(kernels, 1 - learning_rate * WEIGHT_DECAY)
            shaped: list[Tensor] = [_kernel(step, of) for step, of in zip(steps, kernels, strict=True)]
            torch._foreach_sub_(kernels, shaped)

    def tensors(self) -> dict[str, Tensor]:
        """The momenta (out, k·k·in), by the kernels' names."""
        return {f"{name}.momentum_buffer": momentum for name, momentum in self._momenta.items()}


def orthogonal(matrices: Tensor) -> Tensor:
    """The near-orthogonal matrices of a stack (N, a, b): U S Vᵀ of each with its singular values S near 1; bfloat16."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    x = x.mT if x.shape[1] > x.shape[2] else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if matrices.shape[1] > matrices.shape[2] else x


def _gradient(kernel: Tensor) -> Tensor:
    return torch.zeros_like(kernel) if kernel.grad is None else kernel.grad


def _matrix(kernel: Tensor) -> Tensor:
    """A kernel (out, in, k, k) in channels-last memory as the matrix (out, k·k·in) over that memory."""
    return kernel.detach().permute(0, 2, 3, 1).flatten(1)


def _kernel(matrix: Tensor, like: Tensor) -> Tensor:
    """The inverse of ``_matrix``, in the shape of a kernel."""
    out, within, *size = like.shape
    return matrix.view(out, *size, within).permute(0, 3, 1, 2)
