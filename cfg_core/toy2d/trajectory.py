"""How the samples of a scene move from noise to their clean places, with the density and the score along the way."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cfg_core.diffusion.mixture import MixtureDenoiser
from cfg_core.guidance.guide import guide
from cfg_core.toy2d.densities import density_on_grid, square_grid
from cfg_core.toy2d.drawing import Wanted, always, begin_scene, steps_of
from cfg_core.toy2d.scene import RULES, Scene, half_of

Array = NDArray[np.float64]

MAX_STEPS = 50
"""Steps that a trajectory shows at most; of more it takes evenly spaced ones."""

DENSITY_CELLS = 48
"""Grid points a side of each density."""

ARROWS = 15
"""Arrows a side at which the score is given, each in the middle of its share of the square."""


@dataclass(frozen=True)
class Trajectory:
    """The paths of N samples at F noise levels, the initial noise and the clean end among them.

    half: of the square [−half, half]² that holds the paths, see ``half_of``. log_snrs (F,): increasing, the last ∞.
    paths (F, N, 2): z at each level. density (F, DENSITY_CELLS, DENSITY_CELLS): the displayed density of z at each
    level over that square, its maximum 1. score (F, ARROWS², 2): the guided score, x fastest.
    """

    half: float
    log_snrs: Array
    paths: Array
    density: Array
    score: Array


@torch.inference_mode()
def draw_trajectory(scene: Scene, wanted: Wanted = always) -> Trajectory:
    """Draw the samples of a scene as ``draw_scene`` does, and keep their trajectories. wanted: asked at every step."""
    denoiser = scene.mixture()
    job = begin_scene(denoiser, scene)
    log_snrs = [*job.state.log_snrs.tolist(), math.inf]
    start = job.state.z
    z = {state.at: state.z for state, _ in steps_of(denoiser, job, wanted)}  # step → the last z before it
    z[0] = start  # the initial noise, before Langevin steps at the first level
    shown = np.linspace(0, scene.steps, min(scene.steps, MAX_STEPS) + 1).round().astype(int)
    levels = np.array([log_snrs[step] for step in shown])
    paths = np.stack([z[step].numpy() for step in shown])
    half = half_of(paths)
    densities = [
        density_on_grid(denoiser, scene.density, scene.label, scene.w, level, half, DENSITY_CELLS) for level in levels
    ]
    return Trajectory(half, levels, paths, np.stack(densities), _guided_score(denoiser, scene, levels, half))


def _guided_score(denoiser: MixtureDenoiser, scene: Scene, levels: Array, half: float) -> Array:
    """At each of F levels, and at λmax of the schedule instead of ∞: (F, ARROWS², 2)."""
    arrows = square_grid(half * (1 - 1 / ARROWS), ARROWS)
    log_snr = torch.as_tensor(levels).clamp(max=denoiser.schedule.log_snr_max).repeat_interleave(len(arrows))
    z = arrows.repeat(len(levels), 1)
    labels, w = torch.full((len(z),), scene.label), torch.full((len(z),), scene.w, dtype=torch.float64)
    rule = RULES[scene.rule]
    values = {parameter.name: scene.values[parameter.name] for parameter in rule.parameters}
    score = guide(denoiser, rule, z, log_snr, labels, w, values).score
    return score.reshape(len(levels), -1, 2).numpy()
