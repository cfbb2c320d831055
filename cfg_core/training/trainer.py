"""Joint training of the conditional and the unconditional model (paper, Algorithm 1).

    python -m cfg_core train --data fashion_mnist --run runs/fashion-mnist --images 1200000
    torchrun --nproc_per_node 2 -m -- cfg_core train --data cifar10 --run runs/cifar10

A run lives in its folder: ``state.safetensors`` (everything, written whole), ``checkpoint/`` (the EMA weights, ready
for the page), ``log.jsonl`` and ``sheets/``. The same command again goes on exactly where the last save was; so it does
elsewhere, with ``state.safetensors`` alone in the folder.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from safetensors import safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor

from cfg_core.checkpoints.format import CheckpointConfig, save_checkpoint
from cfg_core.checkpoints.model_card import model_card
from cfg_core.checks import choice, number
from cfg_core.data.datasets import DataSet
from cfg_core.data.pixels import mirrored, to_unit
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.schedule import Schedule, alpha_sigma, per_sample
from cfg_core.files import write_atomically
from cfg_core.networks.unet import UNet, UNetConfig
from cfg_core.training.loss import LOSS_WEIGHTS, drop_labels
from cfg_core.training.optimizers import OPTIMIZERS

STATE = "state.safetensors"


DECAYS: dict[str, Callable[[float], float]] = {
    "cosine": lambda share: float(0.5 + 0.5 * np.cos(np.pi * share)),
    "linear": lambda share: 1 - share,
    "constant": lambda share: 1.0,
}
"""The share of the run that is behind → what the learning rate is multiplied with."""


PRECISIONS = {"float32": "no", "bfloat16": "bf16"}
"""What convolutions compute in → Accelerate's name for it. bfloat16 suits GPUs, and CPUs with AVX512-BF16 or AMX."""


@dataclass(frozen=True)
class Options:
    """What makes two runs the same run; a run folder goes on only under the same options.

    data: the fingerprint of the data set. start: the hash of the weights that it begins with, empty where they are
    fresh. seen: pictures those had seen. precision: what convolutions compute in, a key of PRECISIONS; the weights are
    float32. ema: the widths of the EMAs that are kept, as shares of the run.
    """

    data: str
    network: UNetConfig
    schedule: Schedule = field(default_factory=Schedule)
    p_uncond: float = 0.1
    loss_weight: str = "v"
    images: int = 1_200_000
    batch: int = 128
    learning_rate: float = 2e-3
    decay: str = "cosine"
    optimizer: str = "adamw"
    ema: tuple[float, ...] = (0.1,)
    seed: int = 0
    start: str = ""
    seen: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        number("p_uncond", self.p_uncond, 0, 1)
        choice("loss_weight", self.loss_weight, LOSS_WEIGHTS)
        choice("precision", self.precision, PRECISIONS)
        number("images", self.images, 1, 1e12, whole=True)
        number("batch", self.batch, 1, 65536, whole=True)
        number("learning_rate", self.learning_rate, 1e-8, 1)
        choice("decay", self.decay, DECAYS)
        choice("optimizer", self.optimizer, OPTIMIZERS)
        for width in self.ema:
            number("ema", width, 0.01, 0.28)
        number("seed", self.seed, 0, 2**32 - 1, whole=True)

    @property
    def steps(self) -> int:
        return -(-self.images // self.batch)


@dataclass(frozen=True)
class Report:
    """Mean squared v error since the last report, in all and split by what the network was told."""

    step: int
    images: int
    loss: float
    conditional: float
    unconditional: float


def _generator(*key: int) -> torch.Generator:
    """Every random number of training is a function of its key, so a run needs no generator state to resume."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1)


def learning_rate(options: Options, step: int) -> float:
    """Linear warm-up over 10,000 images, times the decay of the options over the whole run."""
    warm_up = min(1.0, (step + 1) * options.batch / 10_000)
    return options.learning_rate * warm_up * DECAYS[options.decay](min(1, step / options.steps))


def ema_decay(relative_width: float, step: int) -> float:
    """Power-function EMA (Karras et al., arXiv 2312.02696, eq. 121–127): its width is a share of the run so far."""
    t = relative_width**-2
    gamma = max(np.roots([1, 7, 16 - t, 12 - t]).real)
    return float((1 - 1 / (step + 1)) ** (gamma + 1))


class Trainer:
    """A run: the network, its EMA and optimiser, and the step they are at."""

    def __init__(self, options: Options, dataset: DataSet, accelerator: Accelerator) -> None:
        self.options, self.accelerator, self.step = options, accelerator, 0
        torch.manual_seed(options.seed)
        self.network = UNet(options.network)
        self.model = accelerator.prepare(self.network)
        self.optimizers = OPTIMIZERS[options.optimizer](self.network)
        self.emas = self._copies()
        self.dataset = dataset
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with these instead of fresh weights."""
        self.network.load_state_dict(weights)
        self.emas = self._copies()

    def _copies(self) -> dict[float, dict[str, Tensor]]:
        """The weights once for each width of the EMA."""
        weights = self.network.state_dict()
        return {width: {name: t.detach().clone() for name, t in weights.items()} for width in self.options.ema}

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x (B, C, S, S) in [−1, 1], labels (B,), some dropped, u (B,) in [0, 1], on the CPU, and ε of a step; this
        process's rows.

        Drawn for all processes at once, so that the number of processes does not change what is learnt.
        """
        options, count = self.options, len(self.dataset.labels)
        positions = range(step * options.batch, (step + 1) * options.batch)
        chosen = torch.stack([self._shuffled(p // count)[p % count] for p in positions])
        generator = _generator(options.seed, 1, step)
        labels = drop_labels(self.dataset.labels[chosen], options.network.num_classes, options.p_uncond, generator)
        u = (torch.arange(options.batch) + torch.rand(1, generator=generator)) / options.batch  # stratified
        x = to_unit(mirrored(self.dataset.images[chosen], 0.5 if self.dataset.mirror else 0, generator))
        eps = torch.randn(x.shape, generator=generator)
        mine = slice(self.accelerator.process_index, None, self.accelerator.num_processes)
        device = self.accelerator.device
        return x[mine].to(device), labels[mine].to(device), u[mine], eps[mine].to(device)

    def _shuffled(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = torch.randperm(len(self.dataset.labels), generator=_generator(self.options.seed, 0, epoch))
        return self._order

    def losses(self, x: Tensor, labels: Tensor, u: Tensor, eps: Tensor) -> Tensor:
        """Algorithm 1, lines 4–6: the weighted squared error of each sample (B,)."""
        log_snr = self.options.schedule.log_snr(u)
        alpha, sigma = (per_sample(c, x) for c in alpha_sigma(log_snr))
        target = alpha * eps - sigma * x
        v = self.model(alpha * x + sigma * eps, log_snr.float().to(x.device), labels)
        error = (v - target).square().mean((1, 2, 3))
        return error * LOSS_WEIGHTS[self.options.loss_weight](alpha, sigma).flatten()

    def advance(self) -> Tensor:
        """One gradient step; returns the summed loss and the count, conditional then unconditional: (2, 2)."""
        x, labels, u, eps = self.batch(self.step)
        losses = self.losses(x, labels, u, eps)
        self.accelerator.backward(losses.mean())
        self.accelerator.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizers.step(learning_rate(self.options, self.step))
        self.step += 1
        weights = self.network.state_dict()
        for width, ema in self.emas.items():
            decay = ema_decay(width, self.step)
            torch._foreach_lerp_(list(ema.values()), [weights[name] for name in ema], 1 - decay)
        dropped = labels == self.options.network.num_classes
        return torch.stack([torch.stack([losses.detach()[m].sum(), m.sum()]) for m in (~dropped, dropped)])

    def run(self, report_every: int = 25) -> Iterator[Report]:
        """Train to the end, yielding the mean losses every so many steps and at the last."""
        sums = torch.zeros(2, 2, device=self.accelerator.device)
        while self.step < self.options.steps:
            sums += self.advance()
            if self.step % report_every == 0 or self.step == self.options.steps:
                total = self.accelerator.reduce(sums, "sum")
                conditional, unconditional = (total[:, 0] / total[:, 1]).tolist()
                loss = float(total[:, 0].sum() / total[:, 1].sum())
                yield Report(self.step, self.step * self.options.batch, loss, conditional, unconditional)
                sums.zero_()

    def denoiser(self) -> NetworkDenoiser:
        """The weights of the first EMA as a denoiser."""
        network = UNet(self.options.network)
        network.load_state_dict(self.emas[self.options.ema[0]])
        return NetworkDenoiser(network.to(self.accelerator.device), self.options.schedule, self.dataset.classes)

    def tensors(self) -> dict[str, Tensor]:
        """Everything a run consists of beside its step and options."""
        state = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        for width, ema in self.emas.items():
            state |= {f"ema {width}.{name}": t for name, t in ema.items()}
        return state | {f"optimizer.{name}": t for name, t in self.optimizers.tensors().items()}

    def save(self, folder: Path, command: str) -> None:
        """Write the run's state and a checkpoint of each EMA, that of the first in ``checkpoint/``."""
        options = self.options
        metadata = {"step": str(self.step), "options": json.dumps(asdict(options))}
        tensors = {name: t.detach().cpu().contiguous() for name, t in self.tensors().items()}
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / STATE, save_tensors(tensors, metadata))
        config = CheckpointConfig(
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
        for width, ema in self.emas.items():
            name = "checkpoint" if width == options.ema[0] else f"checkpoint-ema-{width}"
            save_checkpoint(folder / name, config, ema, model_card(config))

    def resume(self, folder: Path) -> bool:
        """Go on from the folder's state, if it has one. Raises ValueError if it was started under other options."""
        before, now = saved_options(folder), json.loads(json.dumps(asdict(self.options)))
        if not before:
            return False
        if before["data"] == self.dataset.name:  # a state from before there were fingerprints
            before["data"] = self.options.data
        for name, value in before.items():
            if value != now[name]:
                raise ValueError(f"{name} must be {value} as in the run of {folder}, got {now[name]}")
        with safe_open(folder / STATE, "pt", device=str(self.accelerator.device)) as file:
            self.step = int(file.metadata()["step"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self.network.load_state_dict(_below("network.", tensors))
        self.emas = {width: _below(f"ema {width}.", tensors) for width in self.options.ema}
        self.optimizers.load(_below("optimizer.", tensors))
        return True


def saved_options(folder: Path) -> dict[str, Any]:
    """The options of the run in that folder, none where there is no run yet."""
    if not (folder / STATE).exists():
        return {}
    with safe_open(folder / STATE, "pt") as file:
        return {"decay": "cosine", **json.loads(file.metadata()["options"])}  # there was no other when it was not said


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
