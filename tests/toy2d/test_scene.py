"""The 2-D lab: samples, distances, densities against computations that share nothing with it but the formulas."""

import asyncio
import base64
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.stats import kstest, multivariate_normal, wasserstein_distance

from cfg_core.diffusion.noise import noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.sampling.langevin import STEP, corrected, langevin
from cfg_core.sampling.loop import begin, generate
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.toy2d.distance import directions, exact_draws, quantiles, sliced_wasserstein
from cfg_core.toy2d.scene import (
    ARROWS,
    CELLS,
    DENSITIES,
    FILM,
    HEAT,
    MEASURED,
    RULES,
    SPREAD,
    VIEW,
    Scene,
    draw_scene,
    draw_trajectory,
)
from cfg_core.ui import plane as plane_tab
from cfg_core.ui.plane import PATH_UNIT, Plane

SCENE = Scene()
LOPSIDED = Scene(means=((0.4, 1.1), (-1.5, 0.2), (0.9, -1.3)), label=1, w=2.0, seed=3)


def log_tilted(scene, z, log_snr):
    """log p(z|c) p(c|z)^w up to a constant, by scipy: (…, 2) to (…)."""
    alpha2 = 1 / (1 + math.exp(-log_snr))
    each = np.stack(
        [
            multivariate_normal(np.sqrt(alpha2) * np.array(mean), alpha2 * SPREAD**2 + 1 - alpha2).logpdf(z)
            for mean in scene.means
        ]
    )
    return (1 + scene.w) * each[scene.label] - scene.w * np.logaddexp.reduce(each, 0)


def score(scene, z, log_snr):
    """Its gradient in z, from the closed form of isotropic Gaussians: (N, 2) to (N, 2)."""
    alpha2 = 1 / (1 + math.exp(-log_snr))
    variance = alpha2 * SPREAD**2 + 1 - alpha2
    pull = (math.sqrt(alpha2) * np.array(scene.means) - z[:, None]) / variance  # (N, 3, 2)
    share = np.exp(-(pull**2).sum(2) * variance / 2)
    marginal = ((share / share.sum(1, keepdims=True))[..., None] * pull).sum(1)
    return (1 + scene.w) * pull[:, scene.label] - scene.w * marginal


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


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_unguided_samples_follow_the_class(sampler):
    drawn = draw_scene(replace(SCENE, w=0.0, sampler=sampler, steps=100, seed=2))
    assert drawn.distance < 2 * drawn.floor
    for axis in (0, 1):
        standard = (drawn.points[:, axis] - SCENE.means[0][axis]) / SPREAD
        assert kstest(standard, "norm").pvalue > 0.01


@pytest.mark.parametrize("scene", [SCENE, LOPSIDED, replace(SCENE, w=8.0, label=2)])
def test_guided_samples_and_their_distance_are_those_of_an_independent_computation(scene):
    scene = replace(scene, steps=200, points=100)
    drawn, exact = draw_scene(scene), flow(scene)
    assert np.abs(drawn.points - exact).max() < 0.04
    assert drawn.distance == pytest.approx(distance(scene, exact), abs=0.02)
    assert drawn.distance > 4 * drawn.floor


@pytest.mark.parametrize("scene", [replace(SCENE, w=0.0), SCENE, LOPSIDED])
def test_exact_draws_follow_the_tilted_density(scene):
    drawn = draw_scene(scene)
    assert distance(scene, drawn.exact) < 0.06
    assert drawn.floor == pytest.approx(distance(scene, drawn.exact), abs=0.02)


def test_the_sliced_distance_is_scipys():
    generator = np.random.default_rng(0)
    density = generator.random((31, 31))
    points = exact_draws(generator.random((31, 31)), -2, 2, 400, generator) + 0.3
    axis = np.linspace(-2, 2, 31)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    each = [wasserstein_distance(points @ u, grid @ u, v_weights=density.ravel()) for u in directions()]
    assert sliced_wasserstein(points, quantiles(density, -2, 2, 400)) == pytest.approx(np.mean(each), rel=0.01)


@pytest.mark.parametrize("rule", RULES)
def test_on_exact_scores_every_rule_draws_the_same(rule):
    cfg, other = (draw_scene(replace(LOPSIDED, steps=20, points=100, rule=name)) for name in ("cfg", rule))
    assert np.allclose(other.points, cfg.points, atol=1e-5)
    assert np.allclose(
        draw_trajectory(replace(SCENE, steps=2, rule=rule)).score, draw_trajectory(replace(SCENE, steps=2)).score
    )


def test_more_steps_do_not_lead_to_the_tilted_density():
    few, many = (draw_scene(replace(SCENE, steps=steps)) for steps in (50, 200))
    assert few.distance > 10 * few.floor
    assert many.distance == pytest.approx(few.distance, abs=0.02)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_langevin_steps_do(sampler):
    plain, led = (draw_scene(replace(SCENE, w=8.0, sampler=sampler, langevin=count, points=200)) for count in (0, 4))
    assert led.distance < 0.35 * plain.distance


def test_langevin_steps_at_one_level_have_the_variance_of_their_recursion():
    """Of N(0, v) the steps z − δz/v + √(2δ)n settle at the variance v/(1 − δ/2v)."""
    log_snr, v = torch.full((40_000,), 0.5, dtype=torch.float64), 0.8
    sigma = float(torch.sigmoid(-log_snr[0]).sqrt())
    generator, z = torch.Generator().manual_seed(0), torch.zeros(40_000, 1, dtype=torch.float64)
    for _ in range(60):
        prediction = Prediction(log_snr, z, sigma * z / v)
        z = langevin(z, prediction, torch.randn(z.shape, generator=generator, dtype=torch.float64))
    assert float(z.var()) == pytest.approx(v / (1 - STEP * sigma**2 / (2 * v)), rel=0.02)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("corrections", [0, 3])
def test_a_corrected_sampler_takes_the_evaluations_that_it_says(figure_2, sampler, corrections):
    chosen = corrected(SAMPLERS[sampler], corrections)
    drawn = begin(figure_2, lambda step: noise(0, 0, step, (4, 2)), torch.zeros(4, dtype=torch.long), torch.ones(4))
    job = replace(drawn, sampler=chosen)
    *_, (last, _) = generate(figure_2, job)
    assert last.evaluations == chosen.evaluations(len(last.log_snrs))
    assert torch.equal(last.z, last.x)


@pytest.mark.parametrize("scene", [replace(SCENE, langevin=2), replace(SCENE, sampler="ancestral"), LOPSIDED])
def test_a_scene_is_always_the_same_and_fewer_points_are_the_first_of_more(scene):
    once, again, fewer = draw_scene(scene), draw_scene(scene), draw_scene(replace(scene, points=100))
    assert np.array_equal(once.points, again.points)
    assert (once.distance, once.floor) == (again.distance, again.floor)
    assert np.array_equal(once.points[:100], fewer.points)


@pytest.mark.parametrize("scene", [SCENE, replace(LOPSIDED, sampler="heun", steps=20, langevin=1)])
def test_a_film_leads_from_noise_to_the_samples(scene):
    film = draw_trajectory(scene)
    assert np.array_equal(film.paths[0], noise(scene.seed, 0, 0, (scene.points, 2)).numpy())
    assert np.array_equal(film.paths[-1], draw_scene(scene).points)
    assert list(film.log_snrs) == sorted(film.log_snrs)
    assert len(film.log_snrs) == scene.steps + 1
    assert film.log_snrs[-1] == math.inf
    assert len(draw_trajectory(replace(scene, steps=200)).paths) == FILM + 1


@pytest.mark.parametrize("moment", [5, 30, 50])
def test_a_films_density_and_score_are_those_of_its_level(moment):
    film = draw_trajectory(LOPSIDED)
    level = min(film.log_snrs[moment], 20.0)
    axis = np.linspace(-VIEW, VIEW, HEAT)
    heat = log_tilted(LOPSIDED, np.stack(np.meshgrid(axis, axis), -1), level)
    assert film.heat[moment] == pytest.approx(np.exp(heat - heat.max()), abs=1e-6)
    axis = (np.arange(ARROWS) + 0.5) * 2 * VIEW / ARROWS - VIEW
    places = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    assert film.score[moment] == pytest.approx(score(LOPSIDED, places, level), rel=1e-6, abs=1e-6)


def test_the_density_looked_at_changes_nothing_else():
    drawn = {density: draw_scene(replace(LOPSIDED, density=density)) for density in DENSITIES}
    assert len({each.distance for each in drawn.values()}) == 1
    axis = np.linspace(-MEASURED, MEASURED, CELLS)
    grid = np.stack(np.meshgrid(axis, axis), -1)
    for density, scene in {"tilted": LOPSIDED, "class": replace(LOPSIDED, w=0.0)}.items():
        expected = log_tilted(scene, grid, 40.0)
        assert drawn[density].heat == pytest.approx(np.exp(expected - expected.max()), abs=1e-6)
    every = sum(np.exp(log_tilted(replace(LOPSIDED, w=0.0, label=label), grid, 40.0)) for label in range(3))
    assert drawn["all"].heat == pytest.approx(every / every.max(), abs=1e-6)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ([], "a scene must be an object, got []"),
        ({"colour": 1}, "'colour' is not a field of a scene"),
        ({"label": 1}, "'label' is not a field of a scene"),
        ({"class": 3}, "class must be a whole number from 0 to 2, got 3"),
        ({"w": 9}, "w must be a number from 0 to 8, got 9"),
        ({"w": math.nan}, "w must be a number from 0 to 8, got nan"),
        ({"w": "3"}, "w must be a number from 0 to 8, got '3'"),
        ({"steps": 0}, "steps must be a whole number from 1 to 200, got 0"),
        ({"steps": 10.5}, "steps must be a whole number from 1 to 200, got 10.5"),
        ({"langevin": 9}, "langevin must be a whole number from 0 to 8, got 9"),
        ({"points": 50}, "points must be a whole number from 100 to 1000, got 50"),
        ({"seed": -1}, "seed must be a whole number from 0 to 4294967295, got -1"),
        ({"sampler": "euler"}, f"sampler must be one of {', '.join(SAMPLERS)}, got 'euler'"),
        ({"rule": None}, f"rule must be one of {', '.join(RULES)}, got None"),
        ({"density": "x"}, "density must be one of tilted, class, all, got 'x'"),
        ({"means": [[0, 0], [1, 1]]}, "means must be 3 points of two numbers each, got ((0, 0), (1, 1))"),
        ({"means": [[0, 0], [1, 1], 2]}, "means must be 3 points of two numbers each, got ((0, 0), (1, 1), 2)"),
        ({"means": [[0, 0], [1, 1], [0, 2.6]]}, "means must be a number from -2.5 to 2.5, got 2.6"),
        ({"means": [[0, 0], [1, 1], [0, None]]}, "means must be a number from -2.5 to 2.5, got None"),
    ],
)
def test_bad_input_gets_one_sentence(raw, sentence):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Scene.parse(raw)
    assert str(error.value).startswith(sentence)
    for function in (Plane().draw, Plane().film):
        assert asyncio.run(function(raw)) == {"ok": False, "error": str(error.value)}


def test_a_scene_survives_the_page():
    assert Scene.parse(LOPSIDED.to_json()) == LOPSIDED
    assert Scene.parse({}) == SCENE
    told = Plane().restore({"w": 9, "class": 1, "nonsense": 0})
    assert Scene.parse(told["scene"]) == replace(SCENE, label=1)
    assert told["notice"] == (
        "In this link, w must be a number from 0 to 8, got 9; 'nonsense' is not a field of a scene."
    )


def test_the_page_is_told_what_was_computed():
    told, drawn = asyncio.run(Plane().draw(LOPSIDED.to_json())), draw_scene(LOPSIDED)
    assert Scene.parse(told["scene"]) == LOPSIDED
    assert (told["distance"], told["floor"]) == (drawn.distance, drawn.floor)
    for field in ("points", "exact"):
        sent = np.frombuffer(base64.b64decode(told[field]), np.float32).reshape(-1, 2)
        assert np.array_equal(sent, getattr(drawn, field).astype(np.float32))
    told, film = asyncio.run(Plane().film(LOPSIDED.to_json())), draw_trajectory(LOPSIDED)
    paths = np.frombuffer(base64.b64decode(told["paths"]), np.int16).reshape(film.paths.shape)
    assert np.abs(paths * PATH_UNIT - film.paths).max() <= PATH_UNIT / 2
    assert told["log_snrs"] == [*film.log_snrs[:-1].tolist(), None]


def test_more_scenes_than_may_wait_are_refused_and_the_lab_goes_on(monkeypatch):
    monkeypatch.setattr(plane_tab, "QUEUE", 2)
    lab = Plane()

    async def many():
        return await asyncio.gather(*(lab.draw(replace(SCENE, seed=seed).to_json()) for seed in range(5)))

    answers = asyncio.run(many())
    assert [answer["ok"] for answer in answers] == [True, True, False, False, False]
    assert answers[-1]["error"].startswith("The 2-D lab is full: 2 drawings wait.")
    assert asyncio.run(lab.draw(SCENE.to_json()))["ok"]
