"""The training loop: the steps of joint training (``cfg_core.training.loss`` has Algorithm 1).

    python -m cfg_core train --data fashion_mnist --run runs/fashion-mnist --images 1200000
    torchrun --nproc_per_node 2 -m -- cfg_core train --data cifar10 --run runs/cifar10

A run folder has ``state.safetensors`` (the whole state, written atomically), ``checkpoint/`` (the EMA weights, ready
for the page), ``log.jsonl``, ``sheets/`` and a lock. The same command again resumes it exactly where the last save was,
on another machine too, where ``state.safetensors`` alone is enough.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from cfg_core.checkpoints.format import CheckpointConfig, save_checkpoint
from cfg_core.checkpoints.model_card import model_card
from cfg_core.checks import number
from cfg_core.data.datasets import DataSet
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.networks.unet import UNet
from cfg_core.training.batches import Batch, Batches
from cfg_core.training.ema import begin_averages, shares, update_averages
from cfg_core.training.finite import NotFiniteError, check_finite
from cfg_core.training.learning_rate import learning_rate
from cfg_core.training.loss import LOSS_WEIGHTS, algorithm_1_losses
from cfg_core.training.optimizers import OPTIMIZERS
from cfg_core.training.options import Options
from cfg_core.training.state import OPTIMIZER, below, check_same_run, has_state, read_state, write_state
from cfg_core.training.step_graph import StepGraph


@dataclass(frozen=True)
class Report:
    """The mean loss since the last report, over all samples, and over those with and without their label.

    conditional, unconditional: None where there were no such samples.
    """

    step: int
    images: int
    loss: float
    conditional: float | None
    unconditional: float | None


class Trainer:
    """A run: the network, its EMAs and optimiser, and the step they are at."""

    def __init__(self, options: Options, dataset: DataSet, accelerator: Accelerator) -> None:
        self.options, self.dataset, self.accelerator, self.step = options, dataset, accelerator, 0
        torch.manual_seed(options.seed)
        self.network = UNet(options.network)
        self.model = accelerator.prepare(self.network)
        self.optimizers = OPTIMIZERS[options.optimizer](self.network)
        self.emas = begin_averages(self.network.state_dict(), options.ema)
        self._batches = Batches(options, dataset)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with these instead of fresh weights."""
        self.network.load_state_dict(weights)
        self.emas = begin_averages(self.network.state_dict(), self.options.ema)

    def batch(self, step: int) -> Batch:
        """This process's rows of a step's batch, on the device; u stays on the CPU.

        The batch is drawn for all processes at once, so that the result does not depend on their number.
        """
        whole, device = self._batches.at(step), self.accelerator.device
        x, labels, u, eps = (t[self.accelerator.process_index :: self.accelerator.num_processes] for t in whole)
        return Batch(x.to(device), labels.to(device), u, eps.to(device))

    def losses(self, x: Tensor, labels: Tensor, u: Tensor, eps: Tensor) -> Tensor:
        """The loss of each sample of a batch (B,), by Algorithm 1."""
        log_snr = self.options.schedule.log_snr(u)
        return algorithm_1_losses(self.model, x, labels, log_snr, eps, LOSS_WEIGHTS[self.options.loss_weight])

    def gradients(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """The first half of a step: the gradients of a batch, clipped, into the parameters.

        Returns the summed loss and the count, conditional then unconditional (2, 2), the mean loss and the gradients'
        norm, over all processes.
        """
        losses, dropped = self.losses(*batch), batch.labels == self.options.network.num_classes
        # Gradients are averaged over the processes, whose numbers of rows may differ.
        self.accelerator.backward(losses.sum() * self.accelerator.num_processes / self.options.batch)
        parts = [(torch.where(m, losses.detach(), 0).sum(), m.sum()) for m in (~dropped, dropped)]
        sums = self.accelerator.reduce(torch.stack([torch.stack(part) for part in parts]), "sum")
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), 1.0)
        return sums, sums[:, 0].sum() / self.options.batch, norm

    def update(self, learning_rate: float | Tensor, shares: Tensor) -> None:
        """The second half: weights and EMAs. shares: what the new weights count in each EMA (E,), on the device."""
        self.optimizers.step(learning_rate)
        update_averages(self.emas, self.network.state_dict(), shares)

    def check_step(self, step: int, loss: float, norm: float) -> None:
        """Raises NotFiniteError, with the step, where its loss or the norm of its gradient is not finite."""
        for field, value in (("loss", loss), ("norm of the gradient", norm)):
            if not math.isfinite(value):
                raise NotFiniteError(f"{field} must be finite, got {value} in step {step + 1} of {self.options.steps}")

    def advance(self) -> Tensor:
        """One gradient step; returns the sums of ``gradients``.

        Raises NotFiniteError in all processes alike, before any weight changes, where the loss or a gradient is not.
        """
        device = self.accelerator.device
        sums, loss, norm = self.gradients(self.batch(self.step))
        self.check_step(self.step, float(loss), float(norm))
        rate = learning_rate(self.options, self.step)
        self.step += 1
        self.update(rate, shares(self.options.ema, self.step).to(device))
        return sums

    def run(self, report_every: int = 25) -> Iterator[Report]:
        """Train to the end, yielding the mean losses every so many steps and at the last."""
        graph = StepGraph(self, report_every).captured() if StepGraph.serves(self) else None
        while self.step < self.options.steps:
            count = min(report_every - self.step % report_every, self.options.steps - self.step)
            if graph:
                sums = graph.advance(self.step, count)
                self.step += count
            else:
                sums = torch.stack([self.advance() for _ in range(count)]).sum(0)
            parts = sums.tolist()
            means = (total / n if n else None for total, n in parts)
            loss = sum(total for total, _ in parts) / sum(n for _, n in parts)
            yield Report(self.step, self.step * self.options.batch, loss, *means)

    def denoiser(self) -> NetworkDenoiser:
        """The weights of the first EMA as a denoiser."""
        network = UNet(self.options.network)
        network.load_state_dict(self.emas[self.options.ema[0]])
        return NetworkDenoiser(network.to(self.accelerator.device), self.options.schedule, self.dataset.classes)

    def weights(self) -> dict[str, Tensor]:
        """The network's weights and their EMAs."""
        state = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        for width, ema in self.emas.items():
            state |= {f"ema {width}.{name}": t for name, t in ema.items()}
        return state

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the run's state, not copies: the weights, and the optimiser's."""
        return self.weights() | {f"{OPTIMIZER}{name}": t for name, t in self.optimizers.tensors().items()}

    def check_finite(self) -> None:
        """Raises NotFiniteError, in all processes alike, where a tensor of the run's state is not finite."""
        check_finite(f"state after step {self.step} of {self.options.steps}", self.tensors())

    def config(self, command: str) -> CheckpointConfig:
        """The config of the model as it is now. Raises ValueError where something in it could not be saved."""
        options = self.options
        return CheckpointConfig(
            architecture=options.network,
            schedule=options.schedule,
            prediction="v",
            loss_weight=options.loss_weight,
            classes=self.dataset.classes,
            data=self.dataset.name,
            licence=self.dataset.licence,
            p_uncond=options.p_uncond,
            images_seen=options.seen + self.step * options.batch,
            command=command,
            finished=self.step == options.steps,
        )

    def save(self, folder: Path, command: str) -> None:
        """Write a checkpoint of each EMA, that of the first in ``checkpoint/``, and then the run's state. After a kill
        in between the run goes on from the state before, and writes both again.

        To be called in every process; the main one writes. Raises NotFiniteError as ``check_finite``, and leaves the
        last state as it is then.
        """
        self.check_finite()
        if not self.accelerator.is_main_process:
            return
        folder.mkdir(parents=True, exist_ok=True)
        config = self.config(command)
        for width, ema in self.emas.items():
            save_checkpoint(folder / checkpoint_name(self.options, width), config, ema, model_card(config))
        write_state(folder, self.tensors(), self.step, self.options)

    def resume(self, folder: Path) -> bool:
        """Go on from the folder's state, if it has one. Raises ValueError if it was started under other options, or
        cannot be used."""
        if not has_state(folder):
            return False
        check_same_run(folder, self.options, self.dataset.name)
        step, tensors = read_state(folder, self.weights(), self.accelerator.device)
        self.step = number(f"the step of {folder}", step, 0, self.options.steps, whole=True)
        self.restore(tensors)
        return True

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy the tensors of a state into the run's own; the inverse of ``tensors``. Raises ValueError as
        ``Optimizers.load``."""
        for name, own in self.weights().items():
            own.copy_(tensors[name])
        self.optimizers.load(below(OPTIMIZER, tensors))


def checkpoint_name(options: Options, width: float) -> str:
    """The folder, within the run's, of the checkpoint of that EMA."""
    return "checkpoint" if width == options.ema[0] else f"checkpoint-ema-{width}"
