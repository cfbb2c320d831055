"""From gradients to a step: AdamW, or Muon for the kernels of convolutions and AdamW for the rest."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from cfg_core.training.muon import Muon


class Optimizers:
    """Muon for some kernels of a network, by their names, and AdamW (Loshchilov & Hutter, arXiv 1711.05101) for all its
    other parameters, stepped as one.

    Their state is there from the start and changes in place, and the learning rate is a tensor: a step can be captured
    in a CUDA graph. unit: as ``Muon`` has it.
    """

    def __init__(self, network: nn.Module, kernels: Mapping[str, nn.Parameter], unit: bool = False) -> None:
        self._network = network
        self._rest = {name: p for name, p in network.named_parameters() if name not in kernels}
        device = next(iter(self._rest.values())).device
        self._learning_rate = torch.zeros((), device=device)
        self._adamw = AdamW(self._rest.values(), betas=(0.9, 0.99), fused=True, capturable=device.type == "cuda")
        self._adamw.param_groups[0]["lr"] = self._learning_rate
        for parameter in self._rest.values():
            moments = {key: torch.zeros_like(parameter) for key in ("exp_avg", "exp_avg_sq")}
            self._adamw.state[parameter] = {"step": torch.zeros((), device=device), **moments}
        self._muon = Muon(kernels, unit)

    def step(self, learning_rate: float | Tensor) -> None:
        """One step from the gradients of the parameters, which are then cleared."""
        self._learning_rate.fill_(learning_rate)
        self._muon.step(self._learning_rate)
        self._adamw.step()
        self._network.zero_grad()

    def tensors(self) -> dict[str, Tensor]:
        """Their whole state, as "parameter.key"."""
        moments = {
            f"{name}.{key}": t
            for name, parameter in self._rest.items()
            for key, t in self._adamw.state[parameter].items()
        }
        return self._muon.tensors() | moments

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of ``tensors``. Raises ValueError for those of another optimiser or network."""
        if not tensors:  # before the first step
            return
        for name, own in self.tensors().items():
            found = tensors.get(name)
            if found is None or found.shape != own.shape:
                parameter, _, key = name.rpartition(".")
                raise ValueError(f"the optimiser's state must have {key} of {parameter}, of shape {tuple(own.shape)}")
            own.copy_(found)


def adamw(network: nn.Module) -> Optimizers:
    """AdamW alone."""
    return Optimizers(network, {})


def muon(network: nn.Module) -> Optimizers:
    """Muon of the convolutions' kernels, AdamW of the rest and of the first and the last layer."""
    return Optimizers(network, _kernels(network))


def muon_of_unit_kernels(network: nn.Module) -> Optimizers:
    """As ``muon``, of a network that has a batch normalisation after each of these kernels."""
    return Optimizers(network, _kernels(network), unit=True)


OPTIMIZERS: dict[str, Callable[[nn.Module], Optimizers]] = {"adamw": adamw, "muon": muon}


def _kernels(network: nn.Module) -> dict[str, nn.Parameter]:
    """Those of the convolutions between the first and the last layer, by their names."""
    last = [name for name, p in network.named_parameters() if p.ndim > 1][-1]
    return dict([(name, p) for name, p in network.named_parameters() if p.ndim == 4 and name != last][1:])
