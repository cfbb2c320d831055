"""Joint training of the conditional and the unconditional model (paper, Algorithm 1).

    python -m cfg_core.train --data fashion_mnist --run runs/fashion-mnist --images 1200000
    torchrun --nproc_per_node 2 -m -- cfg_core.train --data cifar10 --run runs/cifar10

A run lives in its folder: ``state.safetensors`` (everything, written whole), ``checkpoint/`` (the EMA weights, ready
for the page), ``log.jsonl`` and ``sheets/``. The same command again goes on exactly where the last save was; so it does
elsewhere, with ``state.safetensors`` alone in the folder.
"""

import argparse
import json
import shlex
import sys
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

from cfg_core import checkpoints, data
from cfg_core.checks import choice, number, whole_numbers
from cfg_core.denoiser import NetworkDenoiser
from cfg_core.grid import draw_grid, draw_sheet, save_sheet
from cfg_core.optimizers import OPTIMIZERS
from cfg_core.request import GridRequest
from cfg_core.schedule import Schedule, alpha_sigma, per_sample
from cfg_core.unet import UNet, UNetConfig

STATE = "state.safetensors"

LossWeight = Callable[[Tensor, Tensor], Tensor]

LOSS_WEIGHTS: dict[str, LossWeight] = {
    "v": lambda alpha, sigma: torch.ones_like(alpha),
    "epsilon": lambda alpha, sigma: alpha**2,
    "min_snr": lambda alpha, sigma: torch.minimum(alpha**2, 5 * sigma**2),
}
"""(α, σ) → what ‖Δv‖² is multiplied with. ``epsilon`` is Algorithm 1's loss, since ‖Δε‖² = α²‖Δv‖²; ``min_snr`` is
min(α²/σ², 5) ‖Δx‖² (Hang et al., arXiv 2303.09556), since ‖Δx‖² = σ²‖Δv‖²."""

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


def drop_labels(labels: Tensor, null_label: int, p_uncond: float, generator: torch.Generator) -> Tensor:
    """Algorithm 1, line 3: each label (B,) becomes ∅ on its own with probability p_uncond."""
    return torch.where(torch.rand(len(labels), generator=generator) < p_uncond, null_label, labels)


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

    def __init__(self, options: Options, dataset: data.DataSet, accelerator: Accelerator) -> None:
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
        x = data.to_unit(data.mirrored(self.dataset.images[chosen], 0.5 if self.dataset.mirror else 0, generator))
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
        checkpoints.write_whole(folder / STATE, save_tensors(tensors, metadata))
        config = checkpoints.CheckpointConfig(
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
            checkpoints.save(folder / name, config, ema, checkpoints.card(config))

    def resume(self, folder: Path) -> bool:
        """Go on from the folder's state, if it has one. Raises ValueError if it was started under other options."""
        before, now = saved(folder), json.loads(json.dumps(asdict(self.options)))
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


def saved(folder: Path) -> dict[str, Any]:
    """The options of the run in that folder, none where there is no run yet."""
    if not (folder / STATE).exists():
        return {}
    with safe_open(folder / STATE, "pt") as file:
        return {"decay": "cosine", **json.loads(file.metadata()["options"])}  # there was no other when it was not said


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the shipped Fashion-MNIST model."""
    p = argparse.ArgumentParser("python -m cfg_core.train", description="Joint training with classifier-free guidance.")
    p.add_argument("--data", default="fashion_mnist", help=data.WHAT)
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--size", type=int, help="crop and resize every picture to so many pixels a side")
    p.add_argument("--run", type=Path, required=True, help="folder of the run; the same command again resumes it")
    p.add_argument("--images", type=int, default=Options.images, help="pictures to train on, in all")
    p.add_argument("--batch", type=int, default=Options.batch, help="pictures a step, over all processes")
    p.add_argument("--p-uncond", type=float, default=Options.p_uncond, help="probability of dropping a label")
    p.add_argument("--loss-weight", default=Options.loss_weight, help=f"one of {', '.join(LOSS_WEIGHTS)}")
    p.add_argument("--learning-rate", type=float, default=Options.learning_rate)
    p.add_argument("--decay", default=Options.decay, help=f"of the learning rate, one of {', '.join(DECAYS)}")
    p.add_argument("--optimizer", default=Options.optimizer, help=f"one of {', '.join(OPTIMIZERS)}")
    p.add_argument("--ema", type=float, nargs="+", default=Options.ema, help="widths of the EMAs, as shares of the run")
    p.add_argument("--log-snr", type=float, nargs=2, default=(-20.0, 20.0), metavar=("MIN", "MAX"))
    p.add_argument("--widths", type=whole_numbers, default=UNetConfig.widths, metavar="48,96")
    p.add_argument("--encoder", type=whole_numbers, default=UNetConfig.encoder, metavar="2,3", help="blocks a level")
    p.add_argument("--decoder", type=whole_numbers, default=UNetConfig.decoder, metavar="2,1", help="blocks a level")
    p.add_argument("--late", action=argparse.BooleanOptionalAction, default=True, help="class in the decoder only")
    p.add_argument("--precision", help=f"one of {', '.join(PRECISIONS)}; else the run's, for a new one what suits here")
    p.add_argument("--start", help="begin with the weights of this model, a folder or a Hub name, of the same network")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--save-every", type=int, default=20_000, help="pictures between saves")
    p.add_argument("--sheet-every", type=int, default=50_000, help="pictures between sample sheets")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Train as the command line says; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core.train " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    try:
        dataset = data.load(a.data, root=a.data_root, size=a.size)
        channels, size = dataset.images.shape[1:3]
        network = UNetConfig(channels, size, len(dataset.classes), a.widths, a.encoder, a.decoder, a.late)
        start = checkpoints.load(a.start) if a.start else None
        if start and start.config.architecture != network:
            raise ValueError(f"start must be a model of {network}, got one of {start.config.architecture}")
        usual = "bfloat16" if torch.cuda.is_available() else "float32"
        precision = a.precision or saved(a.run).get("precision", usual)
        options = Options(
            dataset.fingerprint, network, Schedule(*a.log_snr), a.p_uncond, a.loss_weight, a.images, a.batch,
            a.learning_rate, a.decay, a.optimizer, tuple(a.ema), a.seed, start.hash if start else "",
            start.config.images_seen if start else 0, precision,
        )  # fmt: skip
        on_cpu = checkpoints.device().type == "cpu"  # else several processes there would not know of each other
        accelerator = Accelerator(cpu=on_cpu, mixed_precision=PRECISIONS[options.precision])
        number("batch divided by the number of processes", a.batch / accelerator.num_processes, 1, a.batch)
        trainer = Trainer(options, dataset, accelerator)
        if not trainer.resume(a.run) and start:
            trainer.begin_with(start.denoiser.network.state_dict())
    except (ValueError, OSError) as error:
        p.error(str(error))
    follow(trainer, a.run, command, a.save_every, a.sheet_every)


def follow(trainer: Trainer, folder: Path, command: str, save_every: int, sheet_every: int) -> None:
    """Run the trainer with a progress bar, a log, saves and sample sheets."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    chief = trainer.accelerator.is_main_process
    with Progress(*columns, disable=not chief) as progress:
        images = trainer.step * trainer.options.batch
        task = progress.add_task("loss", total=trainer.options.images, completed=images)
        for report in trainer.run():
            if not chief:
                continue
            split = f"conditional {report.conditional:.4f}, unconditional {report.unconditional:.4f}"
            progress.update(task, description=f"loss {report.loss:.4f} ({split})", completed=report.images)
            last = report.step == trainer.options.steps
            if last or report.images // save_every > images // save_every:
                trainer.save(folder, command)
                with (folder / "log.jsonl").open("a") as log:
                    log.write(json.dumps(asdict(report)) + "\n")
            if last or report.images // sheet_every > images // sheet_every:
                sheet(trainer, folder / "sheets" / f"{report.images:012d}.png")
            images = report.images


def sheet(trainer: Trainer, path: Path) -> None:
    """Draw what the EMA weights make of two noises of each of the first ten classes, at w = 0, 1 and 3."""
    classes = trainer.dataset.classes[:10]
    request = GridRequest("training", tuple(range(len(classes))), w=(0.0, 1.0, 3.0), samples=2)
    denoiser = trainer.denoiser()
    pictures = draw_grid(denoiser, request)
    save_sheet(draw_sheet(request, pictures, classes), path, request)


if __name__ == "__main__":
    main()
