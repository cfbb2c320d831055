"""The samples of a scene, and how far they are from the tilted density p(x|c) p(c|x)^w."""

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from cfg_core.diffusion.mixture import MixtureDenoiser
from cfg_core.diffusion.noise import noise
from cfg_core.sampling.feynman_kac import Particles, resampled
from cfg_core.sampling.langevin import corrected
from cfg_core.sampling.loop import Job, Step, begin, generate
from cfg_core.threads import one_core_each
from cfg_core.toy2d.densities import density_on_grid
from cfg_core.toy2d.distance import exact_draws, quantiles, sliced_wasserstein
from cfg_core.toy2d.same_cost import of_same_cost
from cfg_core.toy2d.scene import MEASURED, Scene, half_of

Array = NDArray[np.float64]

CELLS = 121
"""Grid points a side of the square in which distances are measured."""

BASELINE_DRAWS = 8
"""Sets of exact draws whose mean distance is the baseline."""


@dataclass(frozen=True)
class Drawing:
    """The samples of a scene, and the exact draws that they are compared with.

    points (N, 2): the samples. distance: their sliced Wasserstein-1 distance from the tilted density, in the units of
    the axes. exact (N, 2): independent draws from the tilted density. exact_distance: the mean distance of such draws,
    the baseline that N samples cannot be expected to fall below. effective: of resampled particles, the smallest
    effective number, and beside: the distances of scenes of the same cost, see ``of_same_cost``; None and none without
    them. density (CELLS, CELLS): the displayed density over [−MEASURED, MEASURED]², its maximum 1. half: [−half, half]²
    holds the samples and the draws, see ``half_of``.
    """

    points: Array
    distance: float
    exact: Array
    exact_distance: float
    effective: float | None
    beside: Mapping[str, float]
    density: Array
    half: float


def begin_scene(denoiser: MixtureDenoiser, scene: Scene) -> Job:
    """The sampling job of a scene. All points share one stream of noise: fewer points are the first of more, unless
    they are resampled."""
    job = begin(
        denoiser,
        lambda step: noise(scene.seed, 0, step, (scene.points, 2)).double(),
        torch.full((scene.points,), scene.label),
        torch.full((scene.points,), scene.w, dtype=torch.float64),
        sampler=scene.sampler,
        steps=scene.steps,
        rule=scene.rule,
        parameters=scene.values,
    )
    sampler = corrected(job.sampler, scene.langevin)
    return replace(job, sampler=resampled(sampler, scene.w) if scene.resampled else sampler)


class Unwanted(Exception):
    """Whoever asked for a drawing does not wait for it any more."""


Wanted = Callable[[], bool]


def always() -> bool:
    """Wanted to the end."""
    return True


def steps_of(denoiser: MixtureDenoiser, job: Job, wanted: Wanted) -> Iterator[Step]:
    """The steps of a job, as ``generate`` has them. Raises Unwanted."""
    for step in generate(denoiser, job):
        if not wanted():
            raise Unwanted
        yield step


@torch.inference_mode()
def draw_scene(scene: Scene, wanted: Wanted = always) -> Drawing:
    """Draw the samples of a scene and measure their distance; the same scene always gives the same drawing.

    wanted: asked at every step. Raises Unwanted.
    """
    denoiser = scene.mixture()
    job = begin_scene(denoiser, scene)
    for _ in steps_of(denoiser, job, wanted):
        pass
    points, particles = job.state.z.numpy(), job.state.memory

    def clean_density(name: str) -> Array:
        return density_on_grid(denoiser, name, scene.label, scene.w, math.inf, MEASURED, CELLS)

    tilted = clean_density("tilted")
    target = quantiles(tilted, MEASURED, scene.points)
    generators = (np.random.default_rng((scene.seed, number)) for number in range(BASELINE_DRAWS))
    exact = [exact_draws(tilted, MEASURED, scene.points, generator) for generator in generators]
    return Drawing(
        points,
        sliced_wasserstein(points, target),
        exact[0],
        float(np.mean([sliced_wasserstein(draws, target) for draws in exact])),
        particles.fewest if isinstance(particles, Particles) else None,
        {name: draw_scene(other, wanted).distance for name, other in of_same_cost(scene).items()},
        tilted if scene.density == "tilted" else clean_density(scene.density),
        half_of(points, exact[0]),
    )


DRAWN = 2
"""Scenes that are drawn at once, of as many people."""


def executor() -> Executor:
    """The threads that draw scenes, each on one core: faster for tensors this small, and the other cores stay free."""
    return one_core_each(DRAWN, "toy2d")
