"""The samples of a grid on their way from noise to clean: at every step, the predictions with and without the class."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cfg_core.data.pixels import check_finite, to_bytes
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.grids.drawing import begin_grid
from cfg_core.grids.request import GridRequest
from cfg_core.guidance.guide import combine, evaluate
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL, Memory
from cfg_core.sampling.loop import Job, generate
from cfg_core.sampling.samplers import State

Floats = NDArray[np.float32]

PARTS = 3
"""What is kept of a sample at a step: z, v(z, c) and v(z, ∅)."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """B samples of one class and one w at T steps of their sampler; of a step of two evaluations, at the first.

    log_snrs (T,): increasing. parts (B, T, 3, …): z before the step and v(z, c), v(z, ∅) there, so that x̂ = αz − σv and
    ε̂ = σz + αv. norms_x, norms_eps (T, B): ‖x̂(c) − x̂(∅)‖ and ‖ε̂(c) − ε̂(∅)‖, Euclidean. acts: at which steps w changes
    the guided prediction. memories: the rule's memory before each step. samples (B, …): the finished ones, uint8.
    """

    request: GridRequest
    log_snrs: NDArray[np.float64]
    parts: Floats
    norms_x: Floats
    norms_eps: Floats
    acts: tuple[bool, ...]
    memories: tuple[Memory, ...]
    samples: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Bytes that it holds, without memories."""
        return sum(each.nbytes for each in (self.parts, self.norms_x, self.norms_eps, self.samples))


def step_bytes(denoiser: Denoiser) -> int:
    """A bound of the bytes that a trajectory holds for one sample and one step."""
    size = np.dtype(np.float32).itemsize
    return (PARTS * size + 1) * math.prod(denoiser.shape) + 2 * size


@torch.inference_mode()
def draw_trajectory(
    denoiser: Denoiser, request: GridRequest, proceed: Callable[[int], bool] = lambda evaluations: True
) -> Trajectory | None:
    """Draw the samples of a request of one class and one w, and keep every step.

    proceed: called with the number of evaluations after each of them; where it returns False, the result is None.
    Raises ValueError, in one sentence, where a sample is not finite.
    """
    job = begin_grid(denoiser, request)
    before, levels = job.state, []
    for state, prediction in generate(denoiser, job):
        if job.sampler.between(before):
            levels.append((before, *_both(denoiser, job, before, prediction)))
        if not proceed(state.evaluations):
            return None
        before = state
    states, conditional, unconditional = zip(*levels, strict=True)
    parts = [[s.z, c.v, u.v] for s, c, u in levels]
    pairs = list(zip(conditional, unconditional, strict=True))
    return Trajectory(
        request,
        job.state.log_snrs.numpy(),
        torch.stack([torch.stack(each, 1).float().cpu() for each in parts], 1).numpy(),
        torch.stack([_norm(c.x - u.x) for c, u in pairs]).numpy(),
        torch.stack([_norm(c.eps - u.eps) for c, u in pairs]).numpy(),
        tuple(_acts(job, state) for state in states),
        tuple(state.guidance for state in states),
        to_bytes(check_finite(job.state.z)).cpu().numpy(),
    )


def _both(denoiser: Denoiser, job: Job, state: State, prediction: Prediction) -> tuple[Prediction, Prediction]:
    """The predictions at a state with the class and without it: those that the guided one was combined from, or, where
    the rule does not need both or does not tell them, evaluated for this."""
    needed = {e for e, mask in job.rule.needs(state.log_snr, job.w, job.values).items() if bool(mask.all())}
    parts = [prediction.parts.get(name) for name in ("conditional", "unconditional")]
    if {CONDITIONAL, UNCONDITIONAL} <= needed and parts[0] and parts[1]:
        return parts[0], parts[1]
    every = torch.ones_like(job.w, dtype=torch.bool)
    both = {CONDITIONAL: every, UNCONDITIONAL: every}
    results = evaluate(denoiser, state.z, state.log_snr, job.labels, job.w, both)
    return results[CONDITIONAL], results[UNCONDITIONAL]


def _norm(difference: Tensor) -> Tensor:
    return difference.flatten(1).norm(dim=1).float().cpu()


def _acts(job: Job, state: State) -> bool:
    """Whether w changes the guided prediction at a state; a rule that is not linear is taken to do so everywhere."""
    if not job.rule.linear:
        return True
    return bool(job.rule.needs(state.log_snr, torch.ones_like(job.w), job.values)[UNCONDITIONAL].any())


@torch.inference_mode()
def guided_at(denoiser: Denoiser, trajectory: Trajectory, sample: int, step: int, w: float) -> tuple[Floats, Floats]:
    """x̃ and ε̃ (…) of a sample at a step, guided with strength w from the z and the memory of that step."""
    job = begin_grid(denoiser, trajectory.request)
    z = torch.tensor(trajectory.parts[:, step, 0], device=denoiser.device)
    log_snr = torch.full_like(job.w, trajectory.log_snrs[step])
    strength = torch.full_like(job.w, w)
    results = evaluate(denoiser, z, log_snr, job.labels, strength, job.rule.needs(log_snr, strength, job.values))
    guided, _ = combine(denoiser, job.rule, results, strength, job.values, trajectory.memories[step])
    return guided.x[sample].float().cpu().numpy(), guided.eps[sample].float().cpu().numpy()
