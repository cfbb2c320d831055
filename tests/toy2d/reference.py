"""The lab's densities, scores and distances, computed by scipy or in closed form: the tests' references."""

import math
from dataclasses import replace

import numpy as np
from scipy.integrate import solve_ivp
from scipy.stats import multivariate_normal, wasserstein_distance

from cfg_core.diffusion.noise import noise
from cfg_core.toy2d.scene import SPREAD, Scene

SCENE = Scene()
LOPSIDED = Scene(means=((0.4, 1.1), (-1.5, 0.2), (0.9, -1.3)), label=1, w=2.0, seed=3)
MIXED = replace(LOPSIDED, means=(*LOPSIDED.means, (-0.3, 1.9), (1.8, 0.4), (-2.1, -1.7)), owners=(0, 1, 2, 1, 1, 2))
"""Classes of one, three and two components."""


def log_tilted(scene, z, log_snr):
    """log p(z|c) p(c|z)^w up to a constant, by scipy: (…, 2) to (…)."""
    alpha2 = 1 / (1 + math.exp(-log_snr))
    components = np.stack(
        [
            multivariate_normal(np.sqrt(alpha2) * np.array(mean), alpha2 * SPREAD**2 + 1 - alpha2).logpdf(z)
            for mean in scene.means
        ]
    )
    owners = np.array(scene.owners)
    each = [np.logaddexp.reduce(components[owners == c], 0) - math.log((owners == c).sum()) for c in range(3)]
    return (1 + scene.w) * each[scene.label] - scene.w * np.logaddexp.reduce(each, 0)


def score(scene, z, log_snr):
    """Its gradient in z, from the closed form of isotropic Gaussians: (N, 2) to (N, 2)."""
    alpha2 = 1 / (1 + math.exp(-log_snr))
    variance = alpha2 * SPREAD**2 + 1 - alpha2
    owners = np.array(scene.owners)
    pull = (math.sqrt(alpha2) * np.array(scene.means) - z[:, None]) / variance  # (N, M, 2)
    share = np.exp(-(pull**2).sum(2) * variance / 2) / np.bincount(owners)[owners]

    def gradient(weights):
        return ((weights / weights.sum(1, keepdims=True))[..., None] * pull).sum(1)

    return (1 + scene.w) * gradient(share * (owners == scene.label)) - scene.w * gradient(share)


def flow(scene):
    """The probability flow dz/dλ = (z + ∇log p̃_λ(z)) σ²/2, by scipy, from the same noise: (N, 2)."""

    def slope(log_snr, flat):
        z = flat.reshape(-1, 2)
        return (z + score(scene, z, log_snr)).ravel() / (1 + math.exp(log_snr)) / 2

    start = noise(scene.seed, 0, 0, (scene.points, 2)).double().numpy()
    return solve_ivp(slope, (-12, 12), start.ravel(), rtol=1e-5, atol=1e-6).y[:, -1].reshape(-1, 2)


def distance(scene, points, cells=400):
    """Sliced Wasserstein from the tilted density, by scipy, on a grid of another size and over other directions."""
    axis = np.linspace(-5, 5, cells)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    weights = np.exp(log_tilted(scene, grid, 40.0))
    kept = weights > 1e-9 * weights.max()
    lines = [(math.cos(angle), math.sin(angle)) for angle in np.linspace(0.01, math.pi + 0.01, 12, endpoint=False)]
    each = [wasserstein_distance(points @ line, grid[kept] @ line, v_weights=weights[kept]) for line in lines]
    return np.mean(each)
