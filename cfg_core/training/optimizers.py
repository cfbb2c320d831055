"""From gradients to a step: AdamW, or Muon for the kernels of convolutions and AdamW for the rest."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

KEYS = {"AdamW": ("step", "exp_avg", "exp_avg_sq"), "Muon": ("momentum_buffer",)}
"""Class of torch's → what it keeps of each parameter."""


class Optimizers:
    """Optimisers that share the parameters of a network, stepped as one.

    matrices: parameters that an optimiser updates as a matrix over the same memory, by their names.
    """

    def __init__(self, network: nn.Module, parts: Iterable[Optimizer], matrices: dict[str, nn.Parameter]) -> None:
        self._network, self._parts, self._matrices = network, tuple(parts), matrices

    def step(self, learning_rate: float) -> None:
        """One step at this learning rate, from the gradients of the network's parameters, which are then cleared."""
        for name, matrix in self._matrices.items():
            gradient = self._network.get_parameter(name).grad
            matrix.grad = None if gradient is None else _flat(gradient)
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            part.step()
        self._network.zero_grad()

    def tensors(self) -> dict[str, Tensor]:
        """Their whole state, as "parameter.key"."""
        return {
            f"{name}.{key}": t
            for name, part, parameter in self._parameters()
            for key, t in part.state[parameter].items()
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of ``tensors``. Raises ValueError for those of another optimiser or network."""
        if not tensors:  # before the first step
            return
        for name, part, parameter in self._parameters():
            found = {key: tensors.get(f"{name}.{key}") for key in KEYS[type(part).__name__]}
            if any(t is None or t.shape not in ((), parameter.shape) for t in found.values()):
                raise ValueError(f"the optimiser's state must have {', '.join(found)} of {name}")
            part.state[parameter] = {key: _laid_out(t, parameter) for key, t in found.items() if t is not None}

    def _parameters(self) -> Iterator[tuple[str, Optimizer, nn.Parameter]]:
        """Every parameter's name, its optimiser, and the parameter as that optimiser holds it."""
        names = {parameter: name for name, parameter in self._network.named_parameters()}
        names |= {matrix: name for name, matrix in self._matrices.items()}
        for part in self._parts:
            for group in part.param_groups:
                for parameter in group["params"]:
                    yield names[parameter], part, parameter


def adamw(network: nn.Module) -> Optimizers:
    """AdamW (Loshchilov & Hutter, arXiv 1711.05101)."""
    return Optimizers(network, [_adamw(network.parameters())], {})


def muon(network: nn.Module) -> Optimizers:
    """Muon (Jordan et al., 2024) of the convolutions' kernels, AdamW of the rest and of the first and the last layer.

    A kernel (out, in, k, k) is the matrix (out, k·k·in). Steps are scaled to AdamW's size (Liu et al., arXiv
    2502.16982), so that one learning rate serves both. Needs torch 2.9 or newer.
    """
    last = [name for name, p in network.named_parameters() if p.ndim > 1][-1]
    kernels = [(name, p) for name, p in network.named_parameters() if p.ndim == 4 and name != last][1:]
    matrices = {name: nn.Parameter(_flat(p.detach())) for name, p in kernels}
    inner = {p for _, p in kernels}
    rest = [p for p in network.parameters() if p not in inner]
    if not matrices:  # a network of one or two convolutions
        return adamw(network)
    hidden = torch.optim.Muon(matrices.values(), weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    return Optimizers(network, [hidden, _adamw(rest)], matrices)


OPTIMIZERS: dict[str, Callable[[nn.Module], Optimizers]] = {"adamw": adamw, "muon": muon}


def check_available(name: str) -> None:
    """Raises ValueError where the optimiser needs a newer torch than there is."""
    if name == "muon" and not hasattr(torch.optim, "Muon"):
        raise ValueError(f"optimizer must be adamw with torch before 2.9, got muon and torch {torch.__version__}")


def _adamw(parameters: Iterable[nn.Parameter]) -> AdamW:
    return AdamW(parameters, betas=(0.9, 0.99), fused=True)


def _flat(kernel: Tensor) -> Tensor:
    """A kernel (out, in, k, k) in channels-last memory to the matrix (out, k·k·in) over that memory."""
    return kernel.permute(0, 2, 3, 1).flatten(1)


def _laid_out(t: Tensor, parameter: Tensor) -> Tensor:
    """A moment in its parameter's memory layout: the fused optimiser walks both by one set of strides."""
    return torch.empty_like(parameter).copy_(t) if t.shape == parameter.shape else t
