"""What a classifier's training is resumed from: its folder has ``state.safetensors`` from the first epoch's end to the
last measurement."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from cfg_core.checks import number
from cfg_core.networks.classifier import ClassifierArchitecture
from cfg_core.training.classifiers import Recipe
from cfg_core.training.finite import check_finite
from cfg_core.training.optimizers import Optimizers
from cfg_core.training.state import OPTIMIZER, below, check_same_run, has_state, read_state, write_state

NETWORK, GENERATOR = "network.", "generator"
"""What the names of the network's tensors begin with, and the name of the generator's state, whose bytes are int8."""


@dataclass(frozen=True)
class ClassifierOptions:
    """The identity of a run; it is resumed only with the same options. data: the fingerprint of what is trained on."""

    data: str
    architecture: ClassifierArchitecture
    noisy: bool
    recipe: Recipe
    optimizer: str
    precision: str
    seed: int


@dataclass(frozen=True)
class ClassifierRun:
    """What changes while a classifier is trained, under its options."""

    options: ClassifierOptions
    network: nn.Module
    optimizers: Optimizers
    generator: torch.Generator

    def save(self, folder: Path, epochs: int) -> None:
        """Write the state after so many epochs, whole or not at all. Raises OSError where it cannot be written, and
        NotFiniteError where a weight is not finite."""
        check_finite("weights", self.network.state_dict())
        moments = {f"{OPTIMIZER}{name}": t for name, t in self.optimizers.tensors().items()}
        write_state(folder, self._tensors() | moments, epochs, self.options)

    def resume(self, folder: Path, data_name: str) -> tuple[int, Tensor] | None:
        """Go on from the folder's state, if it has one: how many epochs are done, and the state of the generator then.

        data_name: the name of the data set. Raises ValueError for a state of other options, or one that cannot be used.
        """
        if not has_state(folder):
            return None
        check_same_run(folder, self.options, data_name)
        epochs, tensors = read_state(folder, self._tensors(), next(self.network.parameters()).device)
        number(f"the epochs of {folder}", epochs, 0, self.options.recipe.epochs)
        self.network.load_state_dict(below(NETWORK, tensors))
        self.optimizers.load(below(OPTIMIZER, tensors))
        return epochs, tensors[GENERATOR].cpu().view(torch.uint8)

    def _tensors(self) -> dict[str, Tensor]:
        weights = {f"{NETWORK}{name}": t for name, t in self.network.state_dict().items()}
        return weights | {GENERATOR: self.generator.get_state().view(torch.int8)}
