"""The one sampling loop: evaluate, guide, advance. Scripts, tests and the engine all run it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.noise import Noise
from cfg_core.diffusion.spacings import SPACINGS
from cfg_core.guidance.rules import RULES, Needs, Rule, combined, parts
from cfg_core.sampling.samplers import SAMPLERS, Sampler, State, start


@dataclass
class Job:
    """B samples that are drawn together: labels (B,) and w (B,), on the CPU, are theirs one by one, the sampler is
    shared."""

    state: State
    sampler: Sampler
    rule: Rule
    labels: Tensor
    w: Tensor


def begin(
    denoiser: Denoiser,
    noise: Noise,
    labels: Tensor,
    w: Tensor,
    *,
    sampler: str = "dpmpp_2m",
    steps: int | None = None,
    rule: str = "cfg",
) -> Job:
    """A job at its first step; steps defaults to the sampler's own, the spacing is the sampler's unless the denoiser
    needs another."""
    chosen = SAMPLERS[sampler]
    log_snrs = SPACINGS[denoiser.spacing or chosen.spacing](denoiser.schedule, steps or chosen.default_steps)
    return Job(start(noise, log_snrs), chosen, RULES[rule], labels, w)


@torch.inference_mode()
def advance_jobs(denoiser: Denoiser, jobs: Sequence[Job]) -> None:
    """Advance every job by one evaluation, all of their samples in one call of the denoiser; all of them or none."""
    log_snrs = [job.state.log_snr for job in jobs]
    found = parts(
        denoiser,
        torch.cat([job.state.z for job in jobs]),
        torch.cat(log_snrs),
        torch.cat([job.labels for job in jobs]),
        Needs.cat([job.rule.needs(log_snr, job.w) for job, log_snr in zip(jobs, log_snrs, strict=True)]),
    )
    first, advanced = 0, []
    for job in jobs:
        rows = slice(first, first := first + len(job.labels))
        advanced.append(job.sampler.advance(job.state, combined(denoiser, job.rule, found[rows], job.w)))
    for job, state in zip(jobs, advanced, strict=True):
        job.state = state


def generate(denoiser: Denoiser, job: Job) -> Iterator[State]:
    """Yields the state after every evaluation; the last one's z are the samples."""
    while not job.state.done:
        advance_jobs(denoiser, [job])
        yield job.state


def sample(denoiser: Denoiser, job: Job) -> Tensor:
    """The finished samples (B, …)."""
    for _ in generate(denoiser, job):
        pass
    return job.state.z
