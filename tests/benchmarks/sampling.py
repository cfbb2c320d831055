"""Whole grids: ours against the usual loops, and what the sampler itself takes."""

from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import islice
from unittest.mock import patch

import torch
from diffusers import DPMSolverMultistepScheduler
from torch import Tensor

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import DiscreteSchedule
from cfg_core.sampling.loop import Job, advance_jobs, begin
from tests.benchmarks.timing import Row, Stopwatch, interleaved, milliseconds, ratio

SAMPLES, STEPS, W = 16, 12, 3.0
DDPM_STEPS = 400


class Unshared(NetworkDenoiser):
    """The same network without what late conditioning saves: each prediction runs through the whole of it."""

    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor, w: Tensor | None = None) -> Prediction:
        return super().predict(z[rows], log_snr[rows], labels, torch.arange(len(rows)))


# ---- Explore's job --------------------------------------------------------------------------------------------------


def explore_rows(denoiser: NetworkDenoiser, rounds: int) -> Iterator[Row]:
    """An unguided and a guided grid, with late conditioning and without, against the usual loop."""
    unshared = Unshared(denoiser.network, denoiser.schedule, denoiser.classes)
    jobs = [partial(usual_loop, denoiser, 0.0, W), partial(explore, denoiser), partial(explore, unshared)]
    drawn = [job() for job in jobs]
    worst = max(float((picture - drawn[0]).abs().max()) for picture in drawn)
    if worst > 0.02:
        raise RuntimeError(f"the loops that are compared do not draw the same pictures: they differ by {worst:.3g}")
    usual, late, full = interleaved(jobs, rounds)
    for ours, how in ((late, "with late conditioning"), (full, "without late conditioning")):
        name = f"Explore's two grids of {SAMPLES}, {how}, against diffusers' loop"
        yield Row(name, milliseconds(ours), milliseconds(usual), f"{ratio(usual, ours):.2f} × faster")


def grid(denoiser: Denoiser, w: float) -> Job:
    noise = grid_noise(7, range(SAMPLES), denoiser.shape, denoiser.device)
    labels = torch.arange(SAMPLES) % len(denoiser.classes)
    return begin(denoiser, noise, labels, torch.full((SAMPLES,), w, dtype=torch.float64), steps=STEPS)


def explore(denoiser: Denoiser, *strengths: float) -> Tensor:
    """Grids from the same noise, advanced together as the engine does it; an unguided and a guided one by default."""
    jobs = [grid(denoiser, w) for w in strengths or (0.0, W)]
    while not jobs[0].state.done:
        advance_jobs(denoiser, jobs)
    return torch.cat([job.state.z for job in jobs])


@torch.inference_mode()
def usual_loop(denoiser: NetworkDenoiser, *strengths: float) -> Tensor:
    """The same grids as one batch through diffusers' scheduler: both predictions of each sample, at scale s = 1 + w."""
    jobs = [grid(denoiser, w) for w in strengths]
    log_snrs = jobs[0].state.log_snrs
    scheduler = DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++", prediction_type="v_prediction", final_sigmas_type="zero"
    )
    scheduler.set_timesteps(STEPS)
    scheduler.timesteps = torch.arange(STEPS)
    scheduler.sigmas = torch.cat([torch.exp(-log_snrs / 2), torch.zeros(1)]).float()
    z = torch.cat([job.state.z for job in jobs])
    scale = 1 + torch.cat([job.w for job in jobs]).to(z).reshape(-1, 1, 1, 1)
    labels = torch.cat([job.labels for job in jobs])
    labels = torch.cat([labels, torch.full_like(labels, denoiser.null_label)])
    for timestep, log_snr in zip(scheduler.timesteps, log_snrs.to(z), strict=True):
        v = denoiser.network(torch.cat([z, z]), log_snr.expand(2 * len(z)), labels)
        conditional, unconditional = v.chunk(2)
        z = scheduler.step(unconditional + scale * (conditional - unconditional), timestep, z).prev_sample
    return z


# ---- What the sampler itself takes ----------------------------------------------------------------------------------


def share_rows(denoiser: NetworkDenoiser, rounds: int) -> Iterator[Row]:
    """The time of Explore's job that passes outside the denoiser."""
    kept: list[Stopwatch] = []

    def watched() -> None:
        kept.append(Stopwatch())
        with patch.object(denoiser, "predict", kept[-1].around(denoiser.predict)):
            explore(denoiser)

    (whole,) = interleaved([watched], rounds)
    outside = [seconds - watch.seconds for seconds, watch in zip(whole, kept[1:], strict=True)]
    share = f"{ratio(outside, whole):.1%}"
    yield Row("Sampler time outside denoiser calls, of all", milliseconds(outside), milliseconds(whole), share, "≤ 5 %")


# ---- The best-known MNIST demo's loop -------------------------------------------------------------------------------


def ddpm_rows(denoiser: NetworkDenoiser) -> Iterator[Row]:
    """The guided grid by 400 ancestral steps, a tenth of them a round, against ours, a whole grid a round."""
    loop = ddpm_loop(denoiser)
    tenths, ours = interleaved(
        [lambda: deque(islice(loop, DDPM_STEPS // 10), maxlen=0), partial(explore, denoiser, W)], rounds=9
    )
    theirs = [10 * seconds for seconds in tenths]
    name = f"{SAMPLES} guided pictures in {STEPS} steps, against a {DDPM_STEPS}-step DDPM loop"
    yield Row(name, milliseconds(ours), milliseconds(theirs), f"{ratio(theirs, ours):.0f} × faster")


@torch.inference_mode()
def ddpm_loop(denoiser: NetworkDenoiser) -> Iterator[Tensor]:
    """DDPM (Ho et al., arXiv 2006.11239, Algorithm 2) as Conditional_Diffusion_MNIST sets it up, with our network.

    400 steps, β linear from 1e-4 to 0.02, both predictions in one batch at every step; yields z after each.
    """
    betas = torch.linspace(1e-4, 0.02, DDPM_STEPS, dtype=torch.float64)
    log_snrs = DiscreteSchedule(betas).log_snrs.float()
    job = grid(denoiser, W)
    z = job.state.z
    labels = torch.cat([job.labels, torch.full_like(job.labels, denoiser.null_label)])
    for t in reversed(range(DDPM_STEPS)):
        beta, alpha, sigma = (
            float(betas[t]),
            float(log_snrs[t].sigmoid().sqrt()),
            float((-log_snrs[t]).sigmoid().sqrt()),
        )
        both = torch.cat([z, z])
        v = denoiser.network(both, log_snrs[t].expand(len(both)), labels)
        conditional, unconditional = (sigma * both + alpha * v).chunk(2)
        eps = (1 + W) * conditional - W * unconditional
        z = (z - beta / sigma * eps) / (1 - beta) ** 0.5
        if t:
            z = z + beta**0.5 * torch.randn_like(z)
        yield z
