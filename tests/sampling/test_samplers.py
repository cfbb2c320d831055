import math
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

from cfg_core.diffusion.mixture import MixtureDenoiser
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.schedule import Schedule
from cfg_core.diffusion.spacings import SPACINGS
from cfg_core.sampling.loop import begin, generate, sample
from cfg_core.sampling.samplers import SAMPLERS, ancestral, ddim, dpm_solver_2m, heun, start, transition
from tests.conftest import small_network

CPU = torch.device("cpu")


def gaussian_noise(shape, dtype=torch.float64):
    """step → noise of that shape, as a grid would draw it but faster and in any dtype."""
    return lambda step: torch.randn(*shape, generator=torch.Generator().manual_seed(step), dtype=dtype)


def run(advance, denoiser, noise, log_snrs, labels):
    """z at every step, the start included, at w = 0."""
    state = start(noise, log_snrs)
    seen = [state.z]
    while not state.done:
        state = advance(state, denoiser(state.z, state.log_snr, labels))
        seen.append(state.z)
    return torch.stack(seen)


# ---- Against the paper and other people's code ---------------------------------------------------------------------


@pytest.mark.parametrize("levels", [(-20.0, -15.0), (-3.0, -2.5), (0.0, 4.0), (-20.0, 20.0), (19.0, 20.0)])
@pytest.mark.parametrize("v", [0.0, 0.3, 1.0])
def test_transition_has_the_papers_moments(levels, v):
    """Bayes' rule on two Gaussians, q(z_λ'|x) and q(z_λ|z_λ'), against a z + b x and the deviation."""
    low, high = (torch.tensor(level, dtype=torch.float64) for level in levels)
    alpha2, next_alpha2 = float(low.sigmoid()), float(high.sigmoid())
    sigma2, next_sigma2 = float((-low).sigmoid()), float((-high).sigmoid())
    scale = math.sqrt(alpha2 / next_alpha2)  # z_λ = scale z_λ' + noise of variance `forward`
    forward = -math.expm1(levels[0] - levels[1]) * sigma2
    assert forward == pytest.approx(sigma2 - scale**2 * next_sigma2, rel=1e-6, abs=1e-9)
    precision = 1 / next_sigma2 + scale**2 / forward
    a, b, deviation = transition(*levels, v)
    assert a == pytest.approx(scale / forward / precision, rel=1e-9)
    assert b == pytest.approx(math.sqrt(next_alpha2) / next_sigma2 / precision, rel=1e-9)
    assert deviation**2 == pytest.approx((1 / precision) ** (1 - v) * forward**v, rel=1e-9)


LOG_SNRS = {
    "uniform in λ": torch.linspace(-8, 8, 20, dtype=torch.float64),
    "uniform in u": SPACINGS["uniform"](Schedule(-8, 8), 24),
    "few": SPACINGS["midpoint"](Schedule(-8, 8), 6),
}


@pytest.fixture
def start_noise():
    return gaussian_noise((12, 3))


LABELS = torch.tensor([0, 1, 2] * 4)


@pytest.mark.parametrize("log_snrs", LOG_SNRS.values(), ids=LOG_SNRS.keys())
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_is_diffusers(mixture, start_noise, log_snrs, eta):
    steps = len(log_snrs)
    theirs = DDIMScheduler(num_train_timesteps=steps, clip_sample=False, set_alpha_to_one=True)
    theirs.set_timesteps(steps)
    theirs.alphas_cumprod = log_snrs.flip(0).sigmoid()
    theirs.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    ours = run(partial(ddim, eta=eta), mixture, start_noise, log_snrs, LABELS)
    z = start_noise(0)
    for step, t in enumerate(theirs.timesteps):
        eps = mixture(z, log_snrs[step].expand(len(z)), LABELS).eps
        last = step == steps - 1
        z = theirs.step(eps, t, z, eta=0.0 if last else eta, variance_noise=start_noise(step + 1)).prev_sample
        assert torch.allclose(ours[step + 1], z, rtol=0, atol=1e-6)


@pytest.mark.parametrize("log_snrs", LOG_SNRS.values(), ids=LOG_SNRS.keys())
@pytest.mark.parametrize(("eta", "algorithm"), [(0.0, "dpmsolver++"), (1.0, "sde-dpmsolver++")])
def test_dpm_solver_2m_is_diffusers(mixture, start_noise, log_snrs, eta, algorithm):
    steps = len(log_snrs)
    theirs = DPMSolverMultistepScheduler(
        prediction_type="sample", final_sigmas_type="zero", algorithm_type=algorithm, solver_type="midpoint"
    )
    theirs.set_timesteps(steps)
    theirs.sigmas = torch.cat([torch.exp(-log_snrs / 2), torch.zeros(1, dtype=torch.float64)])
    ours = run(partial(dpm_solver_2m, eta=eta), mixture, start_noise, log_snrs, LABELS)
    z, outputs = start_noise(0), []
    for step in range(steps):  # the scheduler's `step`, which would round z to float32
        theirs._step_index = step
        x = mixture(z, log_snrs[step].expand(len(z)), LABELS).x
        outputs.append(theirs.convert_model_output(x, sample=z))
        if step in (0, steps - 1):
            z = theirs.dpm_solver_first_order_update(outputs[-1], sample=z, noise=start_noise(step + 1))
        else:
            z = theirs.multistep_dpm_solver_second_order_update(outputs[-2:], sample=z, noise=start_noise(step + 1))
        assert torch.allclose(ours[step + 1], z, rtol=0, atol=1e-6)


def test_dpm_solver_2m_follows_diffusers_own_loop_as_far_as_float32_goes(mixture, start_noise):
    """As above through `step` itself: that their last step is of first order is theirs to say."""
    log_snrs = LOG_SNRS["uniform in λ"]
    theirs = DPMSolverMultistepScheduler(prediction_type="sample", final_sigmas_type="zero")
    theirs.set_timesteps(len(log_snrs))
    theirs.timesteps = torch.arange(len(log_snrs))
    theirs.sigmas = torch.cat([torch.exp(-log_snrs / 2), torch.zeros(1, dtype=torch.float64)])
    z = start_noise(0)
    for step, t in enumerate(theirs.timesteps):
        z = theirs.step(mixture(z, log_snrs[step].expand(len(z)), LABELS).x, t, z).prev_sample
    assert torch.allclose(run(dpm_solver_2m, mixture, start_noise, log_snrs, LABELS)[-1], z.double(), atol=1e-4)


def test_heun_is_karras_algorithm_1(mixture, start_noise):
    """Written out in x̂ = z/α over σ_E = e^{−λ/2}, where the slope is (x̂ − D)/σ_E."""
    log_snrs = SPACINGS["edm"](Schedule(), 10)
    sigmas = torch.exp(-log_snrs / 2).tolist()

    def derivative(x, sigma):
        log_snr = torch.full((len(x),), -2 * math.log(sigma), dtype=torch.float64)
        return (x - mixture(x * log_snr.sigmoid().sqrt()[:, None], log_snr, LABELS).x) / sigma

    x = start_noise(0) / math.sqrt(torch.sigmoid(log_snrs[0]))
    for sigma, next_sigma in pairwise([*sigmas, 0.0]):
        first = derivative(x, sigma)
        euler = x + (next_sigma - sigma) * first
        x = x + (next_sigma - sigma) * (first + derivative(euler, next_sigma)) / 2 if next_sigma else euler
    assert torch.allclose(run(heun, mixture, start_noise, log_snrs, LABELS)[-1], x, rtol=0, atol=1e-9)


def test_ddim_with_eta_1_is_the_ancestral_sampler_with_v_0(mixture, start_noise):
    log_snrs = SPACINGS["uniform"](Schedule(), 40)
    one = run(partial(ddim, eta=1.0), mixture, start_noise, log_snrs, LABELS)
    other = run(partial(ancestral, v=0.0), mixture, start_noise, log_snrs, LABELS)
    assert torch.allclose(one, other, rtol=0, atol=1e-9)
    assert not torch.allclose(one[-1], run(ddim, mixture, start_noise, log_snrs, LABELS)[-1], atol=1e-2)


# ---- Against the exact mixture -------------------------------------------------------------------------------------

STEPS = {"dpmpp_2m": 40, "dpmpp_2m_sde": 60, "ddim": 120, "heun": 32, "ancestral": 200}


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_recovers_the_mixtures_moments(name):
    """w = 0, so p(x|c); with the null label for class, p(x)."""
    means, deviation = torch.tensor([[[1.0, 0.0], [-0.5, 0.8]], [[0.0, -1.0], [-1.0, -1.0]]]).double(), 0.3
    denoiser = MixtureDenoiser(means, torch.full((2, 2), deviation**2))
    labels = torch.tensor([0, 2]).repeat(2000)
    job = begin(denoiser, gaussian_noise((4000, 2)), labels, torch.zeros(4000), sampler=name, steps=STEPS[name])
    drawn = sample(denoiser, job)
    for label, centres in [(0, means[0]), (2, means.flatten(0, 1))]:
        x = drawn[labels == label]
        covariance = centres.T.cov(correction=0) + deviation**2 * torch.eye(2)
        assert torch.allclose(x.mean(0), centres.mean(0), atol=0.06)  # 0.02 is one standard error
        assert torch.allclose(x.T.cov(), covariance, atol=0.06)


def slope(errors):
    """How fast errors of doubling step counts fall: the order."""
    return [math.log2(a / b) for a, b in pairwise(errors)]


@pytest.mark.parametrize(("advance", "order"), [(ddim, 1), (dpm_solver_2m, 2), (heun, 2)])
def test_the_error_of_a_solver_falls_at_its_order(gaussian, advance, order):
    """Of one Gaussian the probability flow is known: (z − αm)/√(α²s + σ²) stays what it was."""
    noise, labels = gaussian_noise((32, 1)), torch.zeros(32, dtype=torch.long)

    def moments(log_snr):
        alpha2, sigma2 = 1 / (1 + math.exp(-log_snr)), 1 / (1 + math.exp(log_snr))
        return math.sqrt(alpha2) * 0.7, math.sqrt(alpha2 * 0.3**2 + sigma2)

    (mean, deviation), (last_mean, last_deviation) = moments(-6), moments(6)
    exact = last_mean + last_deviation * (noise(0) - mean) / deviation
    exact = gaussian(exact, torch.full((32,), 6.0), labels).x
    errors = []
    for steps in (32, 64, 128, 256):
        log_snrs = torch.linspace(-6, 6, steps + 1, dtype=torch.float64)
        errors.append(float((run(advance, gaussian, noise, log_snrs, labels)[-1] - exact).square().mean().sqrt()))
    assert slope(errors) == pytest.approx([order] * 3, abs=0.15)


STOCHASTIC = {"v = 0.3": ancestral, "v = 0": partial(ancestral, v=0.0), "η = 0.5": partial(ddim, eta=0.5)}


@pytest.mark.parametrize("advance", STOCHASTIC.values(), ids=STOCHASTIC.keys())
def test_the_bias_of_a_stochastic_sampler_falls_at_first_order(gaussian, advance):
    """Its steps are affine in z and the noise, so mean and variance can be carried along exactly: no chance is left."""
    labels = torch.zeros(4, dtype=torch.long)
    kicks = torch.tensor([[0.0], [0.0], [1.0], [0.0]], dtype=torch.float64)
    biases = []
    for steps in (64, 128, 256, 512):
        state, mean, variance = start(lambda _: kicks, SPACINGS["uniform"](Schedule(), steps)), 0.0, 1.0
        while not state.done:
            state = replace(state, z=torch.tensor([[0.0], [1.0], [0.0], [mean]], dtype=torch.float64))
            state = advance(state, gaussian(state.z, state.log_snr, labels))
            origin, unit, kicked, mean = state.z[:, 0].tolist()
            variance = (unit - origin) ** 2 * variance + (kicked - origin) ** 2
        biases.append(abs(mean - 0.7) + abs(variance / 0.3**2 - 1))
    assert slope(biases) == pytest.approx([1] * 3, abs=0.25)
    assert biases[-1] < 0.05


# ---- The ends, and the state ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("network", [True, False])
@pytest.mark.parametrize(
    "advance", [ancestral, ddim, partial(ddim, eta=1.0), dpm_solver_2m, partial(dpm_solver_2m, eta=1.0), heun]
)
def test_log_snr_from_minus_20_to_20_stays_finite(advance, network, steps, dtype):
    schedule = Schedule()
    if network:
        denoiser = NetworkDenoiser(small_network(), schedule, tuple("abcdefghij"))
    else:
        denoiser = MixtureDenoiser([[[0.7, 0.0]], [[-0.7, 0.1]]], [[0.1], [1e-6]])
    noise = gaussian_noise((4, *denoiser.shape), dtype)
    with torch.inference_mode():
        log_snrs = SPACINGS["uniform"](schedule, steps)
        seen = run(advance, denoiser, noise, log_snrs, torch.tensor([0, 1, denoiser.null_label, 0]))
    assert bool(seen.isfinite().all())
    assert seen.dtype == dtype


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_makes_the_evaluations_it_announces_and_ends_on_the_prediction(figure_2, name):
    labels, noise = torch.zeros(3, dtype=torch.long), grid_noise(0, range(3), (2,), CPU)
    for steps in (1, 2, 5):
        job = begin(figure_2, noise, labels, torch.ones(3), sampler=name, steps=steps)
        states = [state for state, _ in generate(figure_2, job)]
        assert len(states) == SAMPLERS[name].evaluations(steps)
        assert [state.evaluations for state in states] == list(range(1, len(states) + 1))
        assert [state.done for state in states] == [False] * (len(states) - 1) + [True]
        assert torch.equal(states[-1].z, states[-1].x)


@pytest.mark.parametrize("name", SAMPLERS)
def test_advance_leaves_the_state_it_was_given(figure_2, name):
    labels, noise = torch.zeros(3, dtype=torch.long), grid_noise(0, range(3), (2,), CPU)
    state = begin(figure_2, noise, labels, torch.ones(3), sampler=name).state
    before = state.z.clone()
    prediction = figure_2(state.z, state.log_snr, labels)
    once, twice = (SAMPLERS[name].advance(state, prediction) for _ in range(2))
    assert torch.equal(state.z, before)
    assert state.evaluations == 0
    assert torch.equal(once.z, twice.z)
