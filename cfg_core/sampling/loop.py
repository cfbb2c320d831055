"""The one sampling loop, of the paper's Algorithm 2 and of every sampler: evaluate, guide, advance.

    z ~ N(0, I)                                   start
    for λ_1 < … < λ_T:
        ε̃ = (1 + w) ε(z, c) − w ε(z)              guide, by a rule
        x̃ = (z − σ ε̃)/α
        z ~ p(z_λ' | z, x̃), or x̃ at the last λ    advance, by a sampler

Scripts, tests and the engine all run it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cfg_core.checks import shown
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.noise import Noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.spacings import SPACINGS
from cfg_core.guidance.guide import combine, evaluate
from cfg_core.guidance.rule import Evaluation, Memory, Rule
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import Parameter, Values, resolve
from cfg_core.sampling.samplers import SAMPLERS, Sampler, State, start


@dataclass
class Job:
    """B samples that are drawn together, each with its own label and w: labels (B,) and w (B,), on the CPU. They share
    the sampler, the rule and the values of the rule's parameters."""

    state: State
    sampler: Sampler
    rule: Rule
    labels: Tensor
    w: Tensor
    values: Values


class Step(NamedTuple):
    """The result of one evaluation: the guided prediction, with its parts, and the state after it."""

    state: State
    prediction: Prediction


def parameters_of(sampler: str, rule: str) -> tuple[Parameter, ...]:
    """The parameters of a sampler and a rule, by their names in SAMPLERS and RULES."""
    return RULES[rule].parameters + SAMPLERS[sampler].parameters


def samplers_for(rule: str) -> list[str]:
    """The names of the samplers with which a rule may be used: a rule that renoises asks for one that does."""
    return [name for name, sampler in SAMPLERS.items() if sampler.renoises or not RULES[rule].renoises]


def check_sampler(sampler: str, rule: str) -> str:
    """The name of a sampler, if it may be used with that rule; otherwise raises ValueError, in one sentence."""
    if sampler not in (able := samplers_for(rule)):
        raise ValueError(f"sampler must be one of {', '.join(able)} for the rule {rule}, got {shown(sampler)}")
    return sampler


def spaced(denoiser: Denoiser, sampler: str, steps: int, values: Values) -> Tensor:
    """λ_1 < … < λ_T (T,), float64, by the sampler's spacing, or by the denoiser's own if it has one.

    values: of the sampler's parameters. Raises ValueError, in one sentence, for more steps than the spacing has.
    """
    spacing = SPACINGS[denoiser.spacing or SAMPLERS[sampler].spacing]
    own = {parameter.name: values.get(parameter.name, parameter.default) for parameter in spacing.parameters}
    return spacing(denoiser.schedule, steps, **own)


def begin(
    denoiser: Denoiser,
    noise: Noise,
    labels: Tensor,
    w: Tensor,
    *,
    sampler: str = "dpmpp_2m",
    steps: int | None = None,
    rule: str = "cfg",
    parameters: Mapping[str, Any] | None = None,
) -> Job:
    """A job at its first step. steps: by default the sampler's. parameters: of rule and sampler, by default theirs.

    Raises ValueError, in one sentence, for a parameter or steps out of range, and as ``check_sampler`` does.
    """
    chosen = SAMPLERS[check_sampler(sampler, rule)]
    values = resolve(parameters_of(sampler, rule), parameters or {})
    log_snrs = spaced(denoiser, sampler, chosen.default_steps if steps is None else steps, values)
    return Job(start(noise, log_snrs), chosen.bound(values), RULES[rule], labels, w, values)


@torch.inference_mode()
def advance_jobs(denoiser: Denoiser, jobs: Sequence[Job]) -> list[Prediction]:
    """Advance all jobs by one evaluation, in one call of the denoiser; if it fails, no job has changed.

    Returns the guided prediction of each.
    """
    log_snrs = [job.state.log_snr for job in jobs]
    needed = [job.rule.needs(log_snr, job.w, job.values) for job, log_snr in zip(jobs, log_snrs, strict=True)]
    evaluations = dict.fromkeys(evaluation for each in needed for evaluation in each)
    results = evaluate(
        denoiser,
        torch.cat([job.state.z for job in jobs]),
        torch.cat(log_snrs),
        torch.cat([job.labels for job in jobs]),
        torch.cat([job.w for job in jobs]),
        {evaluation: torch.cat([_needed_rows(evaluation, each) for each in needed]) for evaluation in evaluations},
    )
    first, advanced = 0, []
    for job, own in zip(jobs, needed, strict=True):
        rows = slice(first, first := first + len(job.labels))
        theirs = {evaluation: results[evaluation][rows] for evaluation in own}
        prediction, memory = combine(denoiser, job.rule, theirs, job.w, job.values, job.state.guidance)
        state = job.sampler.advance(job.state, prediction)
        advanced.append(Step(_with_rule_memory(job.sampler, job.state, state, memory), prediction))
    for job, step in zip(jobs, advanced, strict=True):
        job.state = step.state
    return [step.prediction for step in advanced]


def _with_rule_memory(sampler: Sampler, before: State, after: State, memory: Memory) -> State:
    """The state after an evaluation with the rule's memory as cfg_core.guidance.rule defines it.

    Only the evaluation from which the sampler steps to the next λ changes the memory, and its memory is read once that
    step is done.
    """
    pending = memory if after.at > before.at else before.pending
    return replace(after, guidance=pending if sampler.between(after) else before.guidance, pending=pending)


def _needed_rows(evaluation: Evaluation, needed: Mapping[Evaluation, Tensor]) -> Tensor:
    mask = needed.get(evaluation)
    return torch.zeros_like(next(iter(needed.values()))) if mask is None else mask


def generate(denoiser: Denoiser, job: Job) -> Iterator[Step]:
    """Yields state and prediction after every evaluation; the last state's z are the samples."""
    while not job.state.done:
        (prediction,) = advance_jobs(denoiser, [job])
        yield Step(job.state, prediction)


def sample(denoiser: Denoiser, job: Job) -> Tensor:
    """The finished samples (B, …)."""
    for _ in generate(denoiser, job):
        pass
    return job.state.z
