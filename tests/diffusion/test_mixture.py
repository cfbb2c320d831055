import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from cfg_core.diffusion.mixture import MixtureDenoiser, three_gaussians
from cfg_core.diffusion.schedule import alpha_sigma

MEANS = torch.tensor([[[0.0, 1.0], [2.0, -1.0]], [[-1.0, 0.5], [0.3, 0.2]], [[1.0, 1.0], [-2.0, 0.0]]]).double()
FACTORS = torch.randn(3, 2, 2, 2, generator=torch.Generator().manual_seed(0)).double()
COVARIANCES = 0.3 * FACTORS @ FACTORS.mT + 0.05 * torch.eye(2).double()
CLASS_WEIGHTS, COMPONENT_WEIGHTS = [0.2, 0.5, 0.3], [[0.5, 0.5], [0.9, 0.1], [0.25, 0.75]]
LEVELS = [-20.0, -5.0, 0.0, 5.0, 20.0]


@pytest.fixture
def planar():
    return MixtureDenoiser(MEANS, COVARIANCES, CLASS_WEIGHTS, COMPONENT_WEIGHTS)


def noisy(denoiser, log_snr, size=24):
    """Samples z_λ of every label in turn, the null label too."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(size) % (denoiser.null_label + 1)
    at = torch.full((size,), log_snr, dtype=torch.float64)
    alpha, sigma = (c[:, None] for c in alpha_sigma(at))
    x = denoiser.sample(labels, generator)
    return alpha * x + sigma * torch.randn(x.shape, generator=generator, dtype=torch.float64), at, labels


@pytest.mark.parametrize("log_snr", LEVELS)
def test_the_density_is_scipys(planar, log_snr):
    z, at, labels = noisy(planar, log_snr)
    (alpha,), (sigma,) = (c.tolist() for c in alpha_sigma(at[:1]))
    of_class = np.zeros((len(z), 4))
    for c in range(3):
        for k in range(2):
            covariance = (alpha**2 * COVARIANCES[c, k] + sigma**2 * torch.eye(2)).numpy()
            density = multivariate_normal(alpha * MEANS[c, k].numpy(), covariance).pdf(z.numpy())
            of_class[:, c] += COMPONENT_WEIGHTS[c][k] * density
    of_class[:, 3] = of_class[:, :3] @ CLASS_WEIGHTS
    expected = np.log(of_class[range(len(z)), labels])
    assert planar.log_density(z, at, labels).numpy() == pytest.approx(expected, rel=1e-6)
    posterior = planar.log_class_posterior(z, at).exp().numpy()
    assert posterior == pytest.approx(of_class[:, :3] * CLASS_WEIGHTS / of_class[:, 3:], rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("log_snr", LEVELS)
@pytest.mark.parametrize("name", ["mixture", "planar", "figure_2", "gaussian"])
def test_the_predicted_score_is_the_gradient_of_the_log_density(request, name, log_snr):
    denoiser = request.getfixturevalue(name)
    z, at, labels = noisy(denoiser, log_snr)
    z.requires_grad_()
    (gradient,) = torch.autograd.grad(denoiser.log_density(z, at, labels).sum(), z)
    assert torch.allclose(denoiser(z.detach(), at, labels).score, gradient, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("log_snr", LEVELS)
def test_x_and_eps_add_up_to_z(planar, log_snr):
    z, at, labels = noisy(planar, log_snr)
    prediction = planar(z, at, labels)
    alpha, sigma = (c[:, None] for c in alpha_sigma(at))
    assert torch.allclose(alpha * prediction.x + sigma * prediction.eps, z, rtol=1e-12, atol=1e-12)


def test_x_is_the_posterior_mean(planar):
    """E[x | z, c] by importance-weighting clean samples, without any of the closed forms."""
    generator = torch.Generator().manual_seed(3)
    z, at = torch.tensor([[0.4, 0.1]], dtype=torch.float64), torch.tensor([0.5], dtype=torch.float64)
    alpha, sigma = (float(c) for c in alpha_sigma(at))
    for label in range(4):
        x = planar.sample(torch.full((200_000,), label), generator)
        weights = (-((z - alpha * x) ** 2).sum(1) / (2 * sigma**2)).softmax(0)
        assert torch.allclose(planar(z, at, torch.tensor([label])).x, weights @ x, atol=0.02)


@pytest.mark.parametrize("label", range(4))
def test_samples_have_the_moments_of_their_class(planar, label):
    x = planar.sample(torch.full((100_000,), label), torch.Generator().manual_seed(4))
    weights = torch.tensor(COMPONENT_WEIGHTS, dtype=torch.float64)
    weights = (weights * torch.tensor(CLASS_WEIGHTS)[:, None]).flatten() if label == 3 else weights[label]
    means, covariances = (t.flatten(0, 1) if label == 3 else t[label] for t in (MEANS, COVARIANCES))
    mean = weights @ means
    spread = means - mean
    covariance = torch.einsum("m,mde->de", weights, covariances + spread[:, :, None] * spread[:, None])
    assert torch.allclose(x.mean(0), mean, atol=0.03)
    assert torch.allclose(x.T.cov(), covariance, atol=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("log_snr", [-20.0, 20.0])
def test_the_extremes_stay_finite_far_from_all_mass(mixture, log_snr, dtype):
    z = torch.tensor([[0.0] * 3, [50.0] * 3, [-1e4, 0.0, 1e4]], dtype=dtype)
    at = torch.full((3,), log_snr)
    prediction = mixture(z, at, torch.tensor([0, 1, 2]))
    for each in (prediction.x, prediction.eps, prediction.score, prediction.v):
        assert each.dtype == dtype
        assert bool(each.isfinite().all())
    assert bool(mixture.log_density(z, at, torch.tensor([0, 1, 2])).isfinite().all())
    assert bool(mixture.log_class_posterior(z, at).isfinite().all())


def test_at_the_noisy_end_nothing_is_known_and_at_the_clean_end_all(planar):
    z, at, labels = noisy(planar, -40.0)
    means = torch.stack([*(torch.tensor(COMPONENT_WEIGHTS).double()[:, None] @ MEANS)[:, 0]])
    means = torch.cat([means, torch.tensor(CLASS_WEIGHTS).double()[None] @ means])
    assert torch.allclose(planar(z, at, labels).x, means[labels], atol=1e-6)
    z, at, labels = noisy(planar, math.inf)
    assert torch.allclose(planar(z, at, labels).x, z)


def test_an_isotropic_variance_is_the_full_covariance_of_that_scale():
    variances = torch.rand(3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1
    short = MixtureDenoiser(MEANS, variances)
    full = MixtureDenoiser(MEANS, variances[..., None, None] * torch.eye(2, dtype=torch.float64))
    z, at, labels = noisy(short, 1.0)
    assert torch.allclose(short(z, at, labels).x, full(z, at, labels).x)
    assert torch.allclose(short.log_density(z, at, labels), full.log_density(z, at, labels))


def test_pair_is_two_evaluations(planar):
    z, at, _ = noisy(planar, 1.0)
    labels = torch.arange(len(z)) % 3
    conditional, unconditional = planar.pair(z, at, labels)
    assert torch.allclose(conditional.x, planar(z, at, labels).x, rtol=1e-13)
    assert torch.allclose(unconditional.x, planar(z, at, torch.full_like(labels, 3)).x, rtol=1e-13)


def test_the_tilted_density_is_the_density_times_the_posterior_to_the_w(planar):
    z, at, _ = noisy(planar, math.inf)
    labels = torch.arange(len(z)) % 3
    log_p, log_posterior = planar.log_density(z, at, labels), planar.log_class_posterior(z, at)
    w = torch.linspace(-1, 4, len(z), dtype=torch.float64)
    expected = log_p + w * log_posterior[range(len(z)), labels]
    assert torch.allclose(planar.log_tilted(z, labels, w), expected)
    marginal = planar.log_density(z, at, torch.full_like(labels, 3))
    prior = torch.tensor(CLASS_WEIGHTS, dtype=torch.float64).log()[labels]
    assert torch.allclose(planar.log_tilted(z, labels, -1.0), marginal - prior)  # Bayes: p(z|c) / p(c|z) = p(z) / p(c)


def test_the_tilted_density_on_a_grid_is_normalised_and_moves_away_from_the_other_classes(figure_2):
    xs, ys = torch.linspace(-4, 4, 161), torch.linspace(-4, 6, 201)
    area, heights, spreads = (8 / 160) * (10 / 200), [], []
    for w in (0.0, 1.0, 4.0):
        density = figure_2.tilted_density(0, w, xs, ys)
        assert density.shape == (201, 161)
        assert float(density.sum()) * area == pytest.approx(1)
        across = density.sum(1) * area  # class 0 sits at (0, 1), the others below it
        heights.append(float(across @ ys.double()))
        spreads.append(float(across @ ys.double() ** 2) - heights[-1] ** 2)
    assert heights[0] == pytest.approx(1, abs=1e-3)
    assert spreads[0] == pytest.approx(0.25, abs=1e-3)
    assert heights == sorted(heights)
    assert spreads == sorted(spreads, reverse=True)


def test_figure_2_is_three_equal_isotropic_classes():
    figure_2 = three_gaussians(spread=0.5)
    assert (figure_2.shape, len(figure_2.classes), figure_2.null_label) == ((2,), 3, 3)
    centre = torch.zeros(1, 2, dtype=torch.float64)
    assert torch.allclose(
        figure_2.log_class_posterior(centre, torch.tensor([math.inf])).exp(), torch.tensor(1 / 3).double()
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"means": torch.zeros(3, 2)}, r"means must be finite numbers of shape \(C, K, D\)"),
        ({"means": MEANS * math.nan}, r"means must be finite numbers of shape \(C, K, D\)"),
        ({"covariances": torch.ones(3)}, r"covariances must have shape \(3, 2\) or \(3, 2, 2, 2\), got \(3,\)"),
        ({"covariances": torch.zeros(3, 2)}, "covariances must be symmetric and positive definite, got"),
        ({"covariances": -COVARIANCES}, "covariances must be symmetric and positive definite, got"),
        ({"covariances": COVARIANCES.triu()}, "covariances must be symmetric and positive definite, got"),
        ({"covariances": COVARIANCES * math.inf}, "covariances must be symmetric and positive definite, got"),
        ({"class_weights": [0.5, 0.5]}, r"class_weights must have shape \(3,\), got \(2,\)"),
        ({"class_weights": [0.5, 0.4, 0.2]}, r"class_weights must be positive numbers that sum to 1, got \[0.5, 0.4"),
        ({"class_weights": [1.2, -0.4, 0.2]}, r"class_weights must be positive numbers that sum to 1, got \[1.2"),
        ({"class_weights": [math.nan, 0.5, 0.5]}, "class_weights must be positive numbers that sum to 1, got"),
        ({"component_weights": [[1.0, 1.0]] * 3}, "component_weights must be positive numbers that sum to 1, got"),
        ({"component_weights": [0.5, 0.5]}, r"component_weights must have shape \(3, 2\), got \(2,\)"),
        ({"classes": ["a"]}, "classes must name 3 classes, got 1 names"),
    ],
)
def test_bad_input_is_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        MixtureDenoiser(**{"means": MEANS, "covariances": COVARIANCES, **change})


def test_bad_questions_are_named(planar, mixture):
    with pytest.raises(ValueError, match=r"z must have shape \(B, 2\), got \(1, 3\)"):
        planar(torch.zeros(1, 3), torch.zeros(1), torch.tensor([0]))
    with pytest.raises(ValueError, match=r"labels must be from 0 to 2 for p\(c\|z\), got the null label"):
        planar.log_tilted(torch.zeros(1, 2), torch.tensor([3]), 1.0)
    with pytest.raises(ValueError, match="needs data of dimension 2, got dimension 3"):
        mixture.tilted_density(0, 1.0, torch.linspace(-1, 1, 3), torch.linspace(-1, 1, 3))


@pytest.mark.parametrize("name", ["figure_2", "planar"])
def test_a_prediction_is_bit_identical_in_every_batch(request, name):
    denoiser = request.getfixturevalue(name)
    generator = torch.Generator().manual_seed(7)
    z = torch.randn(64, 2, generator=generator, dtype=torch.float64)
    at, labels = torch.linspace(-20, 20, 64, dtype=torch.float64), torch.arange(64) % 4
    crowd = denoiser(z, at, labels)
    for size in range(1, 64):
        rows = slice((64 - size) // 2, (64 - size) // 2 + size)
        some = denoiser(z[rows], at[rows], labels[rows])
        assert torch.equal(some.x, crowd.x[rows]), f"{size} rows"
        assert torch.equal(some.eps, crowd.eps[rows]), f"{size} rows"
