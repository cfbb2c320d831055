"""One evaluation: what guidance adds to it, and how near it comes to the fastest convolution of this machine."""

from collections.abc import Iterator
from functools import partial
from statistics import median

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.guidance.guide import guide
from cfg_core.guidance.rules import RULES
from tests.benchmarks.timing import Row, interleaved, milliseconds, ratio

GUIDED_BATCHES = (16, 64)
BATCHES = (16, 32, 64, 128)
CONVOLUTIONS = ((64, 32, 16), (128, 16, 32), (128, 28, 16), (256, 14, 16), (256, 7, 64))
"""Channels, size and batch of the dense 3×3 convolutions that are tried."""


@torch.inference_mode()
def guidance_rows(denoiser: NetworkDenoiser, rounds: int) -> Iterator[Row]:
    """A guided evaluation over an unguided one of the same samples."""
    for batch in GUIDED_BATCHES:
        z, log_snr, labels = inputs(denoiser, batch)
        strengths = [torch.full((batch,), w, dtype=torch.float64) for w in (3.0, 0.0)]
        guided, unguided = interleaved(
            [partial(guide, denoiser, RULES["cfg"], z, log_snr, labels, w) for w in strengths], rounds
        )
        cost = f"{ratio(guided, unguided):.2f}"
        name = f"A guided evaluation over an unguided one, batch {batch}"
        yield Row(name, milliseconds(guided), milliseconds(unguided), cost, "≤ 1.4")


@torch.inference_mode()
def rate_rows(denoiser: NetworkDenoiser, rounds: int) -> Iterator[Row]:
    """Evaluations a second, and their arithmetic over that of the fastest of some dense convolutions."""
    convolutions = [convolution(*each) for each in CONVOLUTIONS]
    evaluations = [partial(denoiser, *inputs(denoiser, batch)) for batch in BATCHES]
    jobs = [*convolutions, *evaluations]
    work = [flops(job) for job in jobs]
    seconds = interleaved(jobs, rounds)
    rates = [done / median(taken) / 1e9 for done, taken in zip(work, seconds, strict=True)]
    best = max(rates[: len(convolutions)])
    measured = zip(BATCHES, seconds[len(convolutions) :], rates[len(convolutions) :], strict=True)
    for batch, taken, rate in measured:
        ours = f"{batch / median(taken):,.0f}/s, {rate:,.0f} GFLOP/s"
        name = f"Unguided evaluations a second, batch {batch}, against the best convolution"
        yield Row(name, ours, f"{best:,.0f} GFLOP/s", f"{rate / best:.0%}")


def inputs(denoiser: NetworkDenoiser, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    z = torch.randn(batch, *denoiser.shape, device=denoiser.device)
    log_snr = torch.linspace(-10, 10, batch, dtype=torch.float64)
    return z, log_snr, torch.arange(batch) % len(denoiser.classes)


def convolution(channels: int, size: int, batch: int) -> partial[torch.Tensor]:
    x = torch.randn(batch, channels, size, size).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3).contiguous(memory_format=torch.channels_last)
    return partial(F.conv2d, x, weight, padding=1)


def flops(job: partial) -> int:
    # Outside inference mode nothing is divided between threads, which the counter would not see.
    with torch.inference_mode(False), torch.no_grad(), FlopCounterMode(display=False) as counter:
        job()
    return int(counter.get_total_flops())
