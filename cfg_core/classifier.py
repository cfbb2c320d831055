"""Trains the classifiers: that of clean pictures, which judges, and the noise-aware one, which guides.

python -m cfg_core.classifier --data fashion_mnist --out checkpoints/fashion-mnist-classifier
python -m cfg_core.classifier --data fashion_mnist --noisy --out checkpoints/fashion-mnist-guide
python -m cfg_core.classifier --data cifar10 --widths 64,128,256 --epochs 12 --shift 2 --precision bfloat16 --out …
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core import checkpoints, data
from cfg_core.checks import choice, number, whole_numbers
from cfg_core.guide import GuideNetwork
from cfg_core.judge import BLOCK, Architecture, ClassifierConfig, Network, features, spread
from cfg_core.schedule import Schedule, alpha_sigma, per_sample

Logits = Callable[[Tensor], Tensor]
"""What is trained, or measured: clean pictures (N, C, S, S) to class logits (N, K)."""


def noised(network: nn.Module, schedule: Schedule, generator: torch.Generator) -> Logits:
    """A noise-aware network as a function of clean pictures: z_λ and λ are drawn for it as in joint training."""

    def logits(x: Tensor) -> Tensor:
        u = (torch.arange(len(x)) + torch.rand(1, generator=generator)) / len(x)  # stratified
        return at(network, schedule.log_snr(u), torch.randn(x.shape, generator=generator).to(x))(x)

    return logits


def at(network: nn.Module, log_snr: Tensor, eps: Tensor) -> Logits:
    """A noise-aware network as a function of clean pictures, at these λ (N,), on the CPU, and noises (N, C, S, S)."""

    def logits(x: Tensor) -> Tensor:
        alpha, sigma = (per_sample(c, x) for c in alpha_sigma(log_snr))
        return network(alpha * x + sigma * eps, log_snr.float().to(x.device))

    return logits


def train(
    network: nn.Module,
    logits: Logits,
    dataset: data.DataSet,
    epochs: int,
    batch: int,
    learning_rate: float,
    generator: torch.Generator,
    shift: int = 0,
    precision: torch.dtype | None = None,
) -> Iterator[float]:
    """AdamW on the cross-entropy, one cycle of the learning rate; yields the loss of each step.

    Pictures are mirrored at random and moved by at most ``shift`` pixels. precision: what convolutions compute in,
    None for that of the weights.
    """
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.05, fused=True)
    device, count = next(network.parameters()).device, len(dataset.labels)
    steps = -(-count // batch) * epochs
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=max(steps, 2), pct_start=0.2)
    network.train()
    for _ in range(epochs):
        for chosen in torch.randperm(count, generator=generator).split(batch):
            images = data.shifted(data.mirrored(dataset.images[chosen], 0.5, generator), shift, generator)
            with torch.autocast(device.type, precision, enabled=precision is not None):
                named = logits(data.to_unit(images).to(device))
            loss = F.cross_entropy(named.float(), dataset.labels[chosen].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
            yield float(loss.detach())
    network.eval()


@torch.inference_mode()
def accuracy(logits: Logits, dataset: data.DataSet, device: torch.device) -> float:
    """The share of a data set that is named rightly."""
    blocks = zip(dataset.images.split(BLOCK), dataset.labels.split(BLOCK), strict=True)
    hits = [int((logits(data.to_unit(x).to(device)).argmax(1).cpu() == labels).sum()) for x, labels in blocks]
    return sum(hits) / len(dataset.labels)


def accuracy_at(network: nn.Module, dataset: data.DataSet, log_snr: float, device: torch.device) -> float:
    """The same of a noise-aware network, at one λ."""
    generator = torch.Generator().manual_seed(0)

    def logits(x: Tensor) -> Tensor:
        eps = torch.randn(x.shape, generator=generator).to(x)
        return at(network, torch.full((len(x),), log_snr, dtype=torch.float64), eps)(x)

    return accuracy(logits, dataset, device)


CARD_LEVELS = (-4.0, -2.0, 0.0, 2.0, 4.0, Schedule().log_snr_max)
"""λ at which a card says how often a noise-aware classifier is right, the last of them clean pictures."""


def card(config: ClassifierConfig, accuracies: dict[float, float]) -> str:
    """The model card. accuracies: λ → share of the test split, of a noise-aware classifier."""
    a = config.architecture
    judges = f"""- **Use**: its {a.features} penultimate features serve FID, its p(c|x) the class accuracy of samples
  (`python -m cfg_core.evaluate`). Such figures compare only with figures of this same classifier, never with those of
  Inception features. It has not seen noisy pictures and does not guide."""
    guides = f"""- **Noise**: it is told the log-SNR λ of what it sees; its share of right answers is \
{", ".join(f"{share:.1%} at λ = {level:g}" for level, share in accuracies.items())}.
- **Use**: the gradient of its log p(c|z) guides (`python -m cfg_core.evaluate --rule classifier --guide FOLDER`). It
  judges nothing."""
    return f"""---
license: apache-2.0
tags: [image-classification, guidance-lab]
---
# The classifier that {"guides" if config.schedule else "grades"} samples of {config.data}

A small convolutional network that names {"noisy" if config.schedule else "clean"} {a.size}×{a.size} pictures of
{config.data}: {", ".join(config.classes)}.

- **Test accuracy**: {config.test_accuracy:.2%} on the clean test split, which it was not trained on.
- **Trained** on the training split, {config.images_seen:,} pictures in all, by `{config.command}`.
- **Data**: {config.data}, licence {config.licence}.
{guides if config.schedule else judges}
"""


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the shipped Fashion-MNIST classifier."""
    p = argparse.ArgumentParser(
        "python -m cfg_core.classifier", description="Train a classifier that judges, or guides."
    )
    p.add_argument("--data", default="fashion_mnist", help=data.WHAT)
    p.add_argument("--data-root", type=Path, help="folder that holds data sets in the Hub's layout")
    p.add_argument("--size", type=int, help="crop and resize every picture to so many pixels a side")
    p.add_argument("--out", type=Path, required=True, help="folder for weights, config and card")
    p.add_argument("--noisy", action="store_true", help="noise-aware, to guide; by default of clean pictures, to judge")
    p.add_argument("--widths", type=whole_numbers, default=Architecture.widths, metavar="32,64,128")
    p.add_argument("--shift", type=int, default=0, help="move pictures at random, by so many pixels at most")
    p.add_argument("--precision", default="default", help=f"one of {', '.join(checkpoints.PRECISIONS)}")
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--learning-rate", type=float, default=5e-3, help="peak of the cycle")
    p.add_argument("--seed", type=int, default=0)
    return p


def main(arguments: list[str] | None = None) -> None:
    """Train, measure and save as the command line says; exits with 2 and one sentence on bad input."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    p = parser()
    a = p.parse_args(arguments)
    command = "python -m cfg_core.classifier " + shlex.join(sys.argv[1:] if arguments is None else arguments)
    try:
        number("epochs", a.epochs, 1, 1000, whole=True)
        number("batch", a.batch, 2, 65536, whole=True)
        number("learning-rate", a.learning_rate, 1e-8, 1)
        number("seed", a.seed, 0, 2**32 - 1, whole=True)
        training, test = data.splits(a.data, a.data_root, a.size)
        channels, size = training.images.shape[1:3]
        number("shift", a.shift, 0, size // 4, whole=True)
        precision = checkpoints.PRECISIONS[choice("precision", a.precision, checkpoints.PRECISIONS)]
        architecture = Architecture(channels, size, len(training.classes), a.widths)
    except (ValueError, OSError) as error:
        p.error(str(error))
    torch.manual_seed(a.seed)
    device = checkpoints.device()
    schedule, generator = Schedule() if a.noisy else None, torch.Generator().manual_seed(a.seed)
    network = (GuideNetwork if schedule else Network)(architecture).to(device)
    logits = noised(network, schedule, generator) if schedule else network
    total = -(-len(training.labels) // a.batch) * a.epochs
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        task = progress.add_task("loss", total=total)
        losses: list[float] = []
        recipe = a.epochs, a.batch, a.learning_rate, generator, a.shift, precision
        for loss in train(network, logits, training, *recipe):
            losses.append(loss)
            progress.update(task, advance=1, description=f"loss {np.mean(losses[-50:]):.4f}")
    if isinstance(network, Network):
        measured, accuracies = accuracy(network, test, device), {}
        apart = spread(features(network, data.to_unit(test.images)), test.labels)
    else:
        accuracies = {level: accuracy_at(network, test, level, device) for level in CARD_LEVELS}
        measured, apart = accuracies[CARD_LEVELS[-1]], 0.0
    config = ClassifierConfig(
        architecture,
        training.classes,
        training.name,
        training.licence,
        measured,
        a.epochs * len(training.labels),
        command,
        schedule,
        apart,
    )
    checkpoints.save(a.out, config, network.state_dict(), card(config, accuracies))
    print(f"test accuracy {measured:.4f} on {len(test.labels):,} pictures; saved in {a.out}")


if __name__ == "__main__":
    main()
