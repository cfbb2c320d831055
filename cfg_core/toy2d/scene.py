"""The 2-D lab: three Gaussians whose every density is known, drawn from by the rules and samplers of the images.

At each λ the guided score is that of p(z_λ|c) p(c|z_λ)^w. It is often said that the samples then follow the tilted
density p(x|c) p(c|x)^w; ``draw`` says how far from it they are, ``film`` shows how they came there.
"""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cfg_core.checks import choice, number, shown
from cfg_core.diffusion.mixture import MixtureDenoiser
from cfg_core.diffusion.noise import noise
from cfg_core.guidance.guide import guide
from cfg_core.guidance.rules import RULES as EVERY_RULE
from cfg_core.sampling.langevin import corrected
from cfg_core.sampling.loop import Job, begin, generate
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.threads import one_core_each
from cfg_core.toy2d.distance import exact_draws, quantiles, sliced_wasserstein

CLASSES = ("A", "B", "C")


RULES = {name: rule for name, rule in EVERY_RULE.items() if rule.channels <= 2 and not rule.parameters}


SPREAD = 0.5
"""Standard deviation of each Gaussian."""


W_RANGE = (0.0, 8.0)


STEPS_RANGE = (1, 200)


LANGEVIN_RANGE = (0, 8)


POINTS_RANGE = (100, 1000)


SEED_RANGE = (0, 2**32 - 1)


REACH = 2.5
"""How far out a mean may lie, along either axis."""


VIEW = 3.5
"""What is looked at: the square [−VIEW, VIEW]²; nearly all noise starts within."""


MEASURED, CELLS = 6.0, 121
"""Distances are measured over the square [−6, 6]², on so many grid points a side, which holds all the mass."""


FILM, HEAT, ARROWS = 50, 48, 15
"""A film has at most FILM steps after the noise; densities are on HEAT² points of the view, arrows on ARROWS²."""


FLOOR_DRAWS = 8


Array = NDArray[np.float64]


LogDensity = Callable[[MixtureDenoiser, "Scene", Tensor, Tensor], Tensor]


def _tilted(mixture: MixtureDenoiser, scene: "Scene", z: Tensor, log_snr: Tensor) -> Tensor:
    return mixture.log_tilted(z, torch.full((len(z),), scene.label), scene.w, log_snr)


def _of_class(mixture: MixtureDenoiser, scene: "Scene", z: Tensor, log_snr: Tensor) -> Tensor:
    return mixture.log_density(z, log_snr, torch.full((len(z),), scene.label))


def _of_all(mixture: MixtureDenoiser, scene: "Scene", z: Tensor, log_snr: Tensor) -> Tensor:
    return mixture.log_density(z, log_snr, torch.full((len(z),), mixture.null_label))


DENSITIES: dict[str, LogDensity] = {"tilted": _tilted, "class": _of_class, "all": _of_all}
"""What can be looked at: log p(z|c) p(c|z)^w, log p(z|c), log p(z), each (N,) up to a constant."""


@dataclass(frozen=True)
class Scene:
    """What is drawn. Raises ValueError, in one sentence, for a field out of range.

    means: of the classes A, B and C. label: the class. langevin: steps of Langevin correction at every noise level.
    points: how many samples. density: which of DENSITIES is looked at.
    """

    means: tuple[tuple[float, float], ...] = ((0.0, 1.0), (-0.87, -0.5), (0.87, -0.5))
    label: int = 0
    w: float = 3.0
    rule: str = "cfg"
    sampler: str = "dpmpp_2m"
    steps: int = 50
    langevin: int = 0
    points: int = 500
    seed: int = 7
    density: str = "tilted"

    def __post_init__(self) -> None:
        _check_means(self.means)
        number("class", self.label, 0, len(CLASSES) - 1, whole=True)
        number("w", self.w, *W_RANGE)
        choice("rule", self.rule, RULES)
        choice("sampler", self.sampler, SAMPLERS)
        number("steps", self.steps, *STEPS_RANGE, whole=True)
        number("langevin", self.langevin, *LANGEVIN_RANGE, whole=True)
        number("points", self.points, *POINTS_RANGE, whole=True)
        number("seed", self.seed, *SEED_RANGE, whole=True)
        choice("density", self.density, DENSITIES)

    @classmethod
    def parse(cls, raw: Any) -> "Scene":
        """A scene as it arrives from outside: an object, where ``class`` is the label. What is absent is default."""
        if not isinstance(raw, Mapping):
            raise ValueError(f"a scene must be an object, got {shown(raw)}")
        given = {"label" if name == "class" else name: value for name, value in raw.items() if name != "label"}
        if unknown := (raw.keys() - {"class"}) & {"label"} or given.keys() - {field.name for field in fields(cls)}:
            raise ValueError(f"{shown(min(unknown, key=str))} is not a field of a scene")
        if isinstance(given.get("means"), list):
            given["means"] = tuple(tuple(mean) if isinstance(mean, list) else mean for mean in given["means"])
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``parse``."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"class": plain.pop("label")} | plain | {"means": [list(mean) for mean in self.means]}


def _check_means(means: Any) -> None:
    pairs = isinstance(means, tuple) and all(isinstance(mean, tuple) and len(mean) == 2 for mean in means)
    if not pairs or len(means) != len(CLASSES):
        raise ValueError(f"means must be {len(CLASSES)} points of two numbers each, got {shown(means)}")
    for mean in means:
        for coordinate in mean:
            number("means", coordinate, -REACH, REACH)


@dataclass(frozen=True)
class Drawn:
    """points (N, 2): the samples. distance: sliced Wasserstein, from the tilted density.

    exact (N, 2): draws from that density itself; floor: the distance that such draws have, on average. heat
    (CELLS, CELLS): the density looked at, over [−MEASURED, MEASURED]², its maximum 1.
    """

    points: Array
    distance: float
    exact: Array
    floor: float
    heat: Array


@dataclass(frozen=True)
class Trajectory:
    """The way of the samples, at F moments: log_snrs (F,), the last ∞, the clean end; paths (F, N, 2), their z.

    heat (F, HEAT, HEAT): the density looked at, over the view, its maximum 1. score (F, ARROWS², 2): the guided score.
    """

    log_snrs: Array
    paths: Array
    heat: Array
    score: Array


def mixture(scene: Scene) -> MixtureDenoiser:
    means = [[mean] for mean in scene.means]
    return MixtureDenoiser(means, torch.full((len(CLASSES), 1), SPREAD**2), classes=CLASSES)


def begun(denoiser: MixtureDenoiser, scene: Scene) -> Job:
    """The job of the sampling loop. All points share one stream of noise, so the first N of more points stay."""
    labels = torch.full((scene.points,), scene.label)
    w = torch.full((scene.points,), scene.w, dtype=torch.float64)
    job = begin(
        denoiser,
        lambda step: noise(scene.seed, 0, step, (scene.points, 2)).double(),
        labels,
        w,
        sampler=scene.sampler,
        steps=scene.steps,
        rule=scene.rule,
    )
    return replace(job, sampler=corrected(job.sampler, scene.langevin))


@torch.inference_mode()
def draw_scene(scene: Scene) -> Drawn:
    """The samples, and how far they are from the tilted density."""
    denoiser = mixture(scene)
    job = begun(denoiser, scene)
    *_, (last, _) = generate(denoiser, job)
    points = last.z.numpy()
    tilted = _heat(denoiser, replace(scene, density="tilted"), math.inf, MEASURED, CELLS)
    target = quantiles(tilted, -MEASURED, MEASURED, scene.points)
    sets = [
        exact_draws(tilted, -MEASURED, MEASURED, scene.points, np.random.default_rng((scene.seed, each)))
        for each in range(FLOOR_DRAWS)
    ]
    floor = float(np.mean([sliced_wasserstein(each, target) for each in sets]))
    heat = tilted if scene.density == "tilted" else _heat(denoiser, scene, math.inf, MEASURED, CELLS)
    return Drawn(points, sliced_wasserstein(points, target), sets[0], floor, heat)


@torch.inference_mode()
def draw_trajectory(scene: Scene) -> Trajectory:
    """The same samples on their way, with the density and the guided score of each moment's λ."""
    denoiser = mixture(scene)
    job = begun(denoiser, scene)
    log_snrs = [*job.state.log_snrs.tolist(), math.inf]
    start = job.state.z
    at = {state.at: state.z for state, _ in generate(denoiser, job)} | {0: start}  # the last state of each level
    moments = np.linspace(0, scene.steps, min(scene.steps, FILM) + 1).round().astype(int)
    levels = np.array([log_snrs[moment] for moment in moments])
    return Trajectory(
        levels,
        np.stack([at[moment].numpy() for moment in moments]),
        np.stack([_heat(denoiser, scene, level, VIEW, HEAT) for level in levels]),
        _score(denoiser, scene, levels),
    )


def _square(half: float, cells: int) -> Tensor:
    axis = torch.linspace(-half, half, cells, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1)  # (cells², 2), row by row


def _heat(denoiser: MixtureDenoiser, scene: Scene, level: float, half: float, cells: int) -> Array:
    """The density looked at over [−half, half]², its maximum 1: (cells, cells)."""
    points = _square(half, cells)
    log_density = DENSITIES[scene.density](denoiser, scene, points, torch.full((len(points),), level).double())
    return (log_density - log_density.max()).exp().reshape(cells, cells).numpy()


def _score(denoiser: MixtureDenoiser, scene: Scene, levels: Array) -> Array:
    """The guided score at every level, that of the clean end at the schedule's: (F, ARROWS², 2)."""
    arrows = _square(VIEW * (1 - 1 / ARROWS), ARROWS)
    log_snr = torch.as_tensor(levels).clamp(max=denoiser.schedule.log_snr_max).repeat_interleave(len(arrows))
    z = arrows.repeat(len(levels), 1)
    labels, w = torch.full((len(z),), scene.label), torch.full((len(z),), scene.w, dtype=torch.float64)
    score = guide(denoiser, RULES[scene.rule], z, log_snr, labels, w).score
    return score.reshape(len(levels), -1, 2).numpy()


def worker() -> Executor:
    """One thread on one core: so little is faster there, and the other is left to the images."""
    return one_core_each(1, "plane")
