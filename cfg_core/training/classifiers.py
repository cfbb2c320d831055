"""Training of the classifiers: of clean images, for the features of metrics, and noise-aware, for guidance.

python -m cfg_core classifier --data cifar10 --out runs/cifar10-classifier
python -m cfg_core classifier --data cifar10 --noisy --out runs/cifar10-guide
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.checkpoints.classifiers import BLOCK, ClassifierConfig, extract_features
from cfg_core.checks import number
from cfg_core.data.datasets import DataSet
from cfg_core.data.pixels import cut_out, shifted, to_unit
from cfg_core.diffusion.schedule import Schedule, alpha_sigma, per_sample
from cfg_core.networks.classifier import ClassifierNetwork
from cfg_core.training.finite import NotFiniteError
from cfg_core.training.loss import stratified
from cfg_core.training.optimizers import Optimizers

Logits = Callable[[Tensor], Tensor]
"""The function that is trained or measured: clean images (N, C, S, S) in [−1, 1] to class logits (N, K)."""


STEPS_OF_AN_EPOCH, LEAST_BATCH = 32, 16
"""Of a small data set: some hundred images in two steps an epoch would end before anything is learnt."""


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained: epochs over all images, images a step, the peak of the learning rate, by how
    many pixels at most an image is moved at random, the side in pixels of the square that is cut out of each, and the
    share of the target that all classes divide among them. Raises ValueError for a field out of range."""

    epochs: int = 12
    batch: int = 256
    learning_rate: float = 5e-3
    shift: int = 2
    cut_out: int = 0
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        number("epochs", self.epochs, 1, 1000, whole=True)
        number("batch", self.batch, 2, 65536, whole=True)
        number("learning-rate", self.learning_rate, 1e-8, 1)
        number("shift", self.shift, 0, 256, whole=True)
        number("cut-out", self.cut_out, 0, 512, whole=True)
        number("smoothing", self.smoothing, 0, 0.9)

    def for_images(self, count: int) -> "Recipe":
        """With batches small enough for an epoch of STEPS_OF_AN_EPOCH steps over so many images, where it has less."""
        return replace(self, batch=min(self.batch, max(LEAST_BATCH, count // STEPS_OF_AN_EPOCH)))

    def steps(self, count: int) -> int:
        """Of training on so many images."""
        return -(-count // self.batch) * self.epochs


def noisy_logits(network: nn.Module, schedule: Schedule, generator: torch.Generator) -> Logits:
    """A noise-aware network as a function of clean images: λ and z_λ = α x + σ ε are drawn as in joint training."""

    def logits(x: Tensor) -> Tensor:
        u = stratified(len(x), generator)
        return logits_at(network, schedule.log_snr(u), torch.randn(x.shape, generator=generator).to(x))(x)

    return logits


def logits_at(network: nn.Module, log_snr: Tensor, eps: Tensor) -> Logits:
    """A noise-aware network as a function of clean images, at these λ (N,), on the CPU, and noises (N, C, S, S)."""

    def logits(x: Tensor) -> Tensor:
        alpha, sigma = (per_sample(c, x) for c in alpha_sigma(log_snr))
        return network(alpha * x + sigma * eps, log_snr.float().to(x.device))

    return logits


def train_classifier(
    network: nn.Module,
    logits: Logits,
    dataset: DataSet,
    optimizers: Optimizers,
    recipe: Recipe,
    generator: torch.Generator,
    precision: torch.dtype | None = None,
    resumed: tuple[int, Tensor] | None = None,
    after_epoch: Callable[[int], None] = lambda epochs: None,
) -> Iterator[float]:
    """Minimise the cross-entropy; yields the loss of each step.

    resumed: how many epochs are done, and the state of the generator then; it must have the seed that it had at first.
    after_epoch: called after each epoch with the number of those done.

    Where ``dataset.mirror``, a random half of the images is mirrored in the first epoch, the other half in the second,
    and so on: two epochs show both sides of each (Jordan, arXiv 2404.00498). The learning rate rises over the first
    fifth of the steps and falls linearly to 0. precision: dtype of convolutions, None for that of the weights. Raises
    NotFiniteError at the first loss that is not finite.
    """
    device, count = next(network.parameters()).device, len(dataset.labels)
    steps = recipe.steps(count)
    network.train()
    sides = torch.rand(count, generator=generator) < (0.5 if dataset.mirror else 0)
    done = 0
    if resumed:
        done, state = resumed
        generator.set_state(state)
    step = done * (steps // recipe.epochs)
    for epoch in range(done, recipe.epochs):
        mirrored = ~sides if dataset.mirror and epoch % 2 else sides
        for chosen in torch.randperm(count, generator=generator).split(recipe.batch):
            step += 1
            if len(chosen) == 1:  # its batch normalisation would have no variance
                continue
            images = dataset.images[chosen]
            images = torch.where(mirrored[chosen, None, None, None], images.flip(3), images)
            images = cut_out(shifted(images, recipe.shift, generator), recipe.cut_out, generator)
            with torch.autocast(device.type, precision, enabled=precision is not None):
                predicted = logits(to_unit(images).to(device))
            labels = dataset.labels[chosen].to(device)
            loss = F.cross_entropy(predicted.float(), labels, label_smoothing=recipe.smoothing)
            if not loss.isfinite():
                raise NotFiniteError(f"loss must be finite, got {loss.item()} in step {step} of {steps}")
            loss.backward()
            optimizers.step(recipe.learning_rate * min(step / (0.2 * steps), (steps + 1 - step) / (0.8 * steps), 1))
            yield float(loss.detach())
        after_epoch(epoch + 1)
    network.eval()


HELD_OUT, LEAST_HELD_OUT = 50, 100
"""Every so manyth image is kept from the training of a clean classifier, to calibrate it; none where fewer would be."""


def hold_out(dataset: DataSet) -> tuple[DataSet, DataSet | None]:
    """A data set without every HELD_OUTth image, and these; or all of it and None."""
    count = len(dataset.labels)
    if count // HELD_OUT < LEAST_HELD_OUT:
        return dataset, None
    kept = torch.arange(count) % HELD_OUT != 0
    rest, held = (replace(dataset, images=dataset.images[m], labels=dataset.labels[m]) for m in (kept, ~kept))
    return rest, held


@torch.inference_mode()
def calibrate(network: ClassifierNetwork, dataset: DataSet) -> float:
    """Divide the logits by the temperature, 0.1 to 10, that makes their cross-entropy over these images, which must not
    have been trained on, the least; returns it. Guo et al., arXiv 1706.04599."""
    logits = _clean_logits(network, dataset)
    losses = {t: float(F.cross_entropy(logits / t, dataset.labels)) for t in torch.logspace(-1, 1, 201).tolist()}
    temperature = min(losses, key=losses.__getitem__)
    for part in network.head.parameters():
        part.div_(temperature)
    return temperature


def confidence(network: ClassifierNetwork, dataset: DataSet) -> float:
    """The mean probability of the predicted class, 0 to 1: of a calibrated classifier its accuracy."""
    return float(_clean_logits(network, dataset).softmax(1).amax(1).mean())


@torch.inference_mode()
def _clean_logits(network: ClassifierNetwork, dataset: DataSet) -> Tensor:
    features = extract_features(network, to_unit(dataset.images))
    return network.head(features.to(network.head.weight.device)).cpu()


@torch.inference_mode()
def accuracy(logits: Logits, dataset: DataSet, device: torch.device) -> float:
    """The share of a data set's images whose class has the largest logit, 0 to 1."""
    blocks = zip(dataset.images.split(BLOCK), dataset.labels.split(BLOCK), strict=True)
    hits = [int((logits(to_unit(x).to(device)).argmax(1).cpu() == labels).sum()) for x, labels in blocks]
    return sum(hits) / len(dataset.labels)


def accuracy_at(network: nn.Module, dataset: DataSet, log_snr: float, device: torch.device) -> float:
    """The accuracy of a noise-aware network at one λ."""
    generator = torch.Generator().manual_seed(0)

    def logits(x: Tensor) -> Tensor:
        eps = torch.randn(x.shape, generator=generator).to(x)
        return logits_at(network, torch.full((len(x),), log_snr, dtype=torch.float64), eps)(x)

    return accuracy(logits, dataset, device)


CARD_LEVELS = (-4.0, -2.0, 0.0, 2.0, 4.0, Schedule().log_snr_max)
"""λ at which a card states the accuracy of a noise-aware classifier; at the last of them images are clean."""


def classifier_card(config: ClassifierConfig, accuracies: dict[float, float], sure: float = 0) -> str:
    """The model card. accuracies: λ → accuracy on the test split, of a noise-aware classifier. sure: the ``confidence``
    of one of clean images on it."""
    a = config.architecture
    for_metrics = f"""- **Calibration**: the mean probability of its predicted class is {sure:.2%} on the test split.
- **Use**: its {a.features} penultimate features are those of FID, its p(c|x) gives the class
  accuracy of samples (`python -m cfg_core evaluate`). Such figures compare only with figures of this same classifier,
  never with those of Inception features. It was trained on clean pictures only and does not guide."""
    for_guidance = f"""- **Noise**: its second input is the log-SNR λ; its accuracy is \
{", ".join(f"{share:.1%} at λ = {level:g}" for level, share in accuracies.items())}.
- **Use**: the gradient of its log p(c|z) guides (`python -m cfg_core evaluate --rule classifier --guide FOLDER`). It
  is not used to evaluate samples."""
    return f"""---
license: apache-2.0
tags: [image-classification, guidance-lab]
---
# {"A noise-aware classifier" if config.schedule else "A classifier"} of {config.data}

A small convolutional network that classifies {"noisy" if config.schedule else "clean"} {a.size}×{a.size} pictures of
{config.data}: {", ".join(config.classes)}.

- **Test accuracy**: {config.test_accuracy:.2%} on the clean test split, which it was not trained on.
- **Trained** on the training split, {config.images_seen:,} pictures in all, by `{config.command}`.
- **Data**: {config.data}, licence {config.licence}.
{for_guidance if config.schedule else for_metrics}
"""
