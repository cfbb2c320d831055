"""What ships: the model in colour draws what it is asked for, and is not too dear for a live page."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import MAX_FILE_BYTES, load_checkpoint
from cfg_core.data.pixels import to_unit
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
NEARLY_ALL = 0.98
"""A p(own class) beyond which a better model need not rise."""


@pytest.fixture(scope="module")
def recognised() -> torch.Tensor:
    """p(c|x) of four noises, by w (0, 1, 3) and class: (3, 10)."""
    colour = load_checkpoint(CHECKPOINTS / "cifar10")
    classifier = load_classifier(CHECKPOINTS / "cifar10-classifier", checkpoint=colour)
    request = GridRequest(colour.hash, tuple(range(10)), w=(0.0, 1.0, 3.0), samples=4)
    pictures = torch.from_numpy(draw_grid(colour.denoiser, request)).permute(0, 1, 2, 5, 3, 4)  # (w, class, n, C, S, S)
    p = classifier.probabilities(to_unit(pictures.flatten(0, 2))).unflatten(0, pictures.shape[:3])
    return p.diagonal(dim1=1, dim2=3).mean(1)  # over the noises


def test_guided_pictures_in_colour_are_taken_for_their_class_rather_than_for_all_others(
    recognised: torch.Tensor,
) -> None:
    assert float(recognised[1:].mean()) > 0.5
    assert bool((recognised[1:].mean(0) > 0.1).all()), "no class is at chance"


def test_guidance_makes_pictures_in_colour_clearer(recognised: torch.Tensor) -> None:
    unguided, one, three = recognised.mean(1).tolist()
    assert unguided < one
    assert three > min(one, NEARLY_ALL)


def test_the_model_in_colour_opens_on_a_class_that_is_among_its_clearest(recognised: torch.Tensor) -> None:
    config = load_checkpoint(CHECKPOINTS / "cifar10").config
    assert config.opens_on
    assert recognised[2, config.opening_label] >= recognised[2].median()


def flops(denoiser: NetworkDenoiser) -> int:
    """Of a guided evaluation of 16 pictures."""
    labels, rows = torch.zeros(32, dtype=torch.long), torch.arange(16).repeat(2)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        denoiser.network(torch.zeros(16, *denoiser.shape), torch.zeros(16), labels, rows)
    return counter.get_total_flops()


def test_colour_costs_at_most_three_times_what_grey_does() -> None:
    colour, grey = (load_checkpoint(CHECKPOINTS / name).denoiser for name in ("cifar10", "fashion-mnist"))
    assert flops(colour) < 3 * flops(grey)


@pytest.mark.parametrize("name", ["fashion-mnist", "cifar10"])
def test_in_any_crowd_a_prediction_is_the_same_bit_for_bit(name: str) -> None:
    denoiser = load_checkpoint(CHECKPOINTS / name).denoiser
    z = torch.randn(80, *denoiser.shape, generator=torch.Generator().manual_seed(0))
    log_snr, labels = torch.linspace(-15, 15, 80), torch.arange(80) % 11
    with torch.inference_mode():
        crowd = denoiser(z, log_snr, labels)
        for size in (1, 15, 16, 17, 33, 63, 64):
            rows = slice(80 - size, 80)
            assert torch.equal(denoiser(z[rows], log_snr[rows], labels[rows]).x, crowd.x[rows]), f"{size} rows"


def test_no_file_that_ships_is_larger_than_the_hub_takes() -> None:
    assert all(path.stat().st_size < MAX_FILE_BYTES for path in CHECKPOINTS.rglob("*") if path.is_file())
