"""What a rule's memory means: one update a step of the sampler, and nothing of it depends on company."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL
from cfg_core.guidance.rules.classifier_free import CFG
from cfg_core.sampling.langevin import corrected
from cfg_core.sampling.loop import advance_jobs, begin, generate, sample

BETA = -0.5


class Momentum:
    """Δ̄_t = Δ_t + β Δ̄_{t−1} of the difference Δ of the two predictions, as in APG (arXiv 2410.02416); it logs every
    memory that it reads and every one that it returns."""

    def __init__(self) -> None:
        self.read: list[Any] = []
        self.returned: list[Any] = []
        self.rule = replace(CFG, combine=self.combine, linear=False)

    def combine(self, results, w, values, memory):
        conditional, unconditional = results[CONDITIONAL], results[UNCONDITIONAL]
        delta = torch.stack([conditional.x - unconditional.x, conditional.eps - unconditional.eps], 1)
        kept = delta if memory is None else delta + BETA * memory
        self.read.append(memory)
        self.returned.append(kept)
        strength = w.to(delta.dtype).reshape(-1, *[1] * (conditional.x.ndim - 1))
        x, eps = conditional.x + strength * kept[:, 0], conditional.eps + strength * kept[:, 1]
        return Prediction(conditional.log_snr, x, eps), kept


def job(denoiser, samples, rule, *, sampler="ddim", steps=4, corrections=0):
    samples = list(samples)
    noise = grid_noise(2, samples, denoiser.shape, denoiser.device)
    numbers = torch.tensor(samples)
    begun = begin(denoiser, noise, numbers % len(denoiser.classes), numbers % 3 + 1.0, sampler=sampler, steps=steps)
    return replace(begun, rule=rule, sampler=corrected(begun.sampler, corrections))


@pytest.mark.parametrize(
    ("sampler", "steps", "corrections", "stepped"),
    [
        ("ddim", 3, 0, [0, 1, 2]),
        ("dpmpp_2m", 3, 0, [0, 1, 2]),
        ("heun", 3, 0, [0, 2, 4]),  # 1 and 3 lie where the Euler steps end
        ("ddim", 2, 2, [2, 5]),  # two Langevin steps before each
        ("heun", 2, 1, [1, 4]),  # 0 and 3 are Langevin steps, 2 is Heun's second
    ],
)
def test_memory_advances_once_a_step_with_the_evaluation_that_steps(figure_2, sampler, steps, corrections, stepped):
    momentum = Momentum()
    drawn = job(figure_2, range(5), momentum.rule, sampler=sampler, steps=steps, corrections=corrections)
    sample(figure_2, drawn)
    own = {"heun": 2}.get(sampler, 1)  # evaluations of a step of the sampler, but for the last one's
    ends = [evaluation + own - 1 for evaluation in stepped]
    for n, read in enumerate(momentum.read):
        done = [evaluation for evaluation, end in zip(stepped, ends, strict=True) if end < n]
        expected = momentum.returned[done[-1]] if done else None
        assert read is None if expected is None else torch.equal(read, expected), f"evaluation {n}"
    assert len(momentum.read) == drawn.state.evaluations


def test_memory_matters(tiny_denoiser):
    with_memory = sample(tiny_denoiser, job(tiny_denoiser, range(4), Momentum().rule))
    without = sample(tiny_denoiser, job(tiny_denoiser, range(4), CFG))
    assert not torch.allclose(with_memory, without, atol=1e-3)


def test_a_sample_keeps_its_memory_whoever_joins_and_leaves(tiny_denoiser):
    """Alone, in a batch, and beside jobs of other rules that come and go: the same to the bit."""
    alone = sample(tiny_denoiser, job(tiny_denoiser, [7], Momentum().rule))
    batch = sample(tiny_denoiser, job(tiny_denoiser, range(20), Momentum().rule))
    assert torch.equal(batch[7:8], alone)
    watched = job(tiny_denoiser, [7], Momentum().rule)
    short = job(tiny_denoiser, range(9), Momentum().rule, steps=2, sampler="heun")
    late = job(tiny_denoiser, range(3), CFG)
    while not watched.state.done:
        company = [short] * (not short.state.done) + [late] * (watched.state.evaluations >= 2)
        advance_jobs(tiny_denoiser, [*company, watched])
    assert short.state.done
    assert late.state.evaluations == 2
    assert torch.equal(watched.state.z, alone)


def test_heun_with_memory_is_of_one_function_within_a_step(figure_2):
    """Both slopes read one memory, so that with a memory that never changes the rule is a plain function of (z, λ)."""
    frozen = torch.full((4, 2, 2), 0.3, dtype=torch.float32)

    def constant(results, w, values, memory):
        return Momentum().combine(results, w, values, frozen)[0], frozen

    def stateless(results, w, values, memory):
        return Momentum().combine(results, w, values, frozen)[0], None

    drawn = [
        sample(figure_2, job(figure_2, range(4), replace(CFG, combine=each), sampler="heun"))
        for each in (constant, stateless)
    ]
    assert torch.equal(*drawn)


def test_rules_without_memory_keep_none(figure_2):
    assert all(state.guidance is None for state, _ in generate(figure_2, job(figure_2, range(3), CFG)))
