"""python -m tests.benchmarks.spacing [--samples 2000] [--steps 12]

Which spacing suits which few-step sampler: on an exact mixture, where the truth is known, and, for the two that the
page is about, on the shipped model by FID and p(own class) at w = 0.3. Prints one table; docs/sampling.md has it.
"""

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.data.datasets import load_splits
from cfg_core.devices import set_cpu_threads
from cfg_core.diffusion.mixture import MixtureDenoiser
from cfg_core.evaluation.extractor import Extractor
from cfg_core.evaluation.metrics import METRICS
from cfg_core.evaluation.real_images import RealImages
from cfg_core.evaluation.sweep import Options, draw_features, gather
from cfg_core.program import print_any_text
from cfg_core.sampling.loop import begin, sample
from cfg_core.sampling.samplers import SAMPLERS

DRAWN = 20_000
MEANS, VARIANCES, WEIGHTS = (-0.6, 0.1, 0.7), (0.01, 0.04, 0.0025), (0.3, 0.3, 0.4)


def noise(step: int) -> Tensor:
    return torch.randn(DRAWN, 1, generator=torch.Generator().manual_seed(step), dtype=torch.float64)


def exact() -> Tensor:
    """Draws from the mixture itself, sorted."""
    generator = torch.Generator().manual_seed(DRAWN)
    component = torch.multinomial(torch.tensor(WEIGHTS), DRAWN, replacement=True, generator=generator)
    deviation = torch.tensor(VARIANCES, dtype=torch.float64).sqrt()[component]
    return (torch.tensor(MEANS, dtype=torch.float64)[component] + deviation * noise(-1)[:, 0]).sort().values


def distance(name: str, steps: int) -> float:
    """Wasserstein distance between the mixture and what a sampler draws from its exact scores at w = 0."""
    denoiser = MixtureDenoiser([[[m] for m in MEANS]], [list(VARIANCES)], component_weights=[list(WEIGHTS)])
    label, w = torch.zeros(DRAWN, dtype=torch.long), torch.zeros(DRAWN)
    drawn = sample(denoiser, begin(denoiser, noise, label, w, sampler=name, steps=steps))
    return float((drawn[:, 0].sort().values - exact()).abs().mean())


def main() -> None:
    print_any_text()
    p = argparse.ArgumentParser("python -m tests.benchmarks.spacing", description="Which spacing suits which sampler.")
    p.add_argument("--samples", type=int, default=2000, help="of the model")
    p.add_argument("--steps", type=int, default=12)
    options = p.parse_args()
    set_cpu_threads()
    checkpoint = load_checkpoint("checkpoints/fashion-mnist")
    extractor = Extractor(load_classifier("checkpoints/fashion-mnist-classifier"))
    reference = RealImages(extractor, *load_splits(checkpoint.config.data)).reference(options.samples, Options.seed)
    table = Table("sampler", "spacing", "distance on the mixture", "FID of the model", "95 % interval", "p(own class)")
    for name, spacing in product(("dpmpp_2m", "dpmpp_2m_sde", "ddim", "heun"), ("uniform", "midpoint", "edm")):
        steps = options.steps // 2 if name == "heun" else options.steps
        with patch.dict(SAMPLERS, {name: replace(SAMPLERS[name], spacing=spacing)}), TemporaryDirectory() as scratch:
            cells = [f"{distance(name, steps):.3f}"]
            if name.startswith("dpmpp"):
                folder, sweep = Path(scratch), Options((0.3,), options.samples, name, steps)
                draw_features(folder, checkpoint.denoiser, extractor, sweep)
                (drawn,) = gather(folder, checkpoint.denoiser, extractor, sweep)
                fid, own = (METRICS[metric].estimate(reference, drawn) for metric in ("fid", "p_correct"))
                cells += [f"{fid.value:.2f}", f"{fid.low:.2f} to {fid.high:.2f}", f"{own.value:.3f}"]
        table.add_row(name, spacing, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
