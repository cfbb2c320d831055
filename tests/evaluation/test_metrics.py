"""Every metric against closed forms, constructed sets and libraries on the same features."""

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from vendi_score import vendi

from cfg_core.evaluation.bootstrap import Estimate, bootstrap, estimate
from cfg_core.evaluation.frechet import Gaussian, frechet, frechet_distance, frechet_figure, root
from cfg_core.evaluation.inception_score import inception_score
from cfg_core.evaluation.precision_recall import Manifold
from cfg_core.evaluation.vendi import vendi_score, vendi_score_near


def features(count: int, dimensions: int = 8, seed: int = 0) -> np.ndarray:
    """Correlated features, not Gaussian: what a ReLU leaves."""
    random = np.random.default_rng(seed)
    return np.maximum(random.normal(size=(count, dimensions)) @ random.normal(size=(dimensions, dimensions)), 0)


def test_of_equal_sets_is_zero_in_any_order() -> None:
    a = features(500)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-10)


def test_is_symmetric() -> None:
    a, b = features(500), features(300, seed=1)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-10)


def test_of_a_shift_is_its_squared_length_and_a_common_shift_changes_nothing() -> None:
    a, b, shift = features(500), features(400, seed=1), np.arange(8.0)
    assert frechet_distance(a, a + shift) == pytest.approx(shift @ shift, rel=1e-10)
    assert frechet_distance(a + shift, b + shift) == pytest.approx(frechet_distance(a, b), rel=1e-9)


def test_of_a_scaling_is_the_closed_form() -> None:
    a = features(500)
    a -= a.mean(0)
    assert frechet_distance(a, 3 * a) == pytest.approx(4 * np.trace(np.cov(a.T)), rel=1e-10)


def test_of_commuting_gaussians_is_the_closed_form() -> None:
    """Diagonal covariances: Σ (μ_a − μ_b)² + (s_a − s_b)², coordinate by coordinate; a zero variance is no trouble."""
    s_a, s_b = np.array([1.0, 2.0, 0.0]), np.array([3.0, 0.5, 1.0])
    a, b = Gaussian(np.zeros(3), np.diag(s_a**2)), Gaussian(np.ones(3), np.diag(s_b**2))
    assert frechet(a, b) == pytest.approx(3 + np.square(s_a - s_b).sum(), rel=1e-12)


def test_agrees_with_torchmetrics_on_the_same_features() -> None:
    extractor = nn.Flatten()
    extractor.num_features = 8  # type: ignore[assignment]
    library = FrechetInceptionDistance(feature=extractor).set_dtype(torch.float64)
    a, b = features(700), features(400, seed=1)
    library.update(torch.from_numpy(a).reshape(-1, 2, 2, 2), real=True)
    library.update(torch.from_numpy(b).reshape(-1, 2, 2, 2), real=False)
    assert frechet_distance(a, b) == pytest.approx(float(library.compute()), rel=1e-8)


def test_root_squares_to_the_matrix_even_where_it_is_singular() -> None:
    a = features(50)
    covariance = np.cov(np.hstack([a, a]).T)  # rank 8 of 16
    np.testing.assert_allclose(root(covariance) @ root(covariance), covariance, atol=1e-10)


def test_a_dead_feature_is_no_trouble() -> None:
    a, b = features(500), features(500, seed=1)
    dead = np.zeros((500, 1))
    assert frechet_distance(np.hstack([a, dead]), np.hstack([b, dead])) == pytest.approx(frechet_distance(a, b))


def test_counts_stand_for_repeated_rows() -> None:
    a = features(50)
    counts = np.random.default_rng(0).integers(0, 4, 50)
    once, repeated = Gaussian.fit(a, counts), Gaussian.fit(np.repeat(a, counts, axis=0))
    np.testing.assert_allclose(once.mean, repeated.mean)
    np.testing.assert_allclose(once.covariance, repeated.covariance)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (features(8), "samples must be at least 9 for features of 8 dimensions, got 8"),
        (np.zeros(5), r"shape \(samples, dimensions\), got \(5,\)"),
        (np.full((20, 8), np.nan), "features must be finite, got 160 values"),
        (features(20, 4), "the same dimensions, got 8 and 4"),
    ],
)
def test_bad_features_are_refused_in_one_sentence(bad: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frechet_distance(features(100), bad)


def frechet_estimate(reference: np.ndarray, rows: np.ndarray, resamples: int = 200, seed: int = 0) -> Estimate:
    return estimate(frechet_figure(reference, rows), len(rows), resamples, seed)


def test_the_interval_holds_its_figure_is_seeded_and_shrinks_with_the_samples() -> None:
    reference, many = features(2000), features(1600, seed=1)
    wide, narrow = frechet_estimate(reference, many[:100]), frechet_estimate(reference, many)
    assert wide.low < wide.value < wide.high
    assert narrow.value == frechet_distance(reference, many)
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)
    assert frechet_estimate(reference, many) == narrow
    assert frechet_estimate(reference, many, seed=1) != narrow


@pytest.mark.slow
def test_the_interval_covers_as_often_as_it_says() -> None:
    """95 % intervals of 200 draws hold the mean FID at that sample count in at least 84 % of 50 trials."""
    random = np.random.default_rng(0)
    reference = random.normal(size=(20_000, 4))
    draws = [1.3 * random.normal(size=(200, 4)) + 0.5 for _ in range(50)]
    expected = np.mean([frechet_distance(reference, draw) for draw in draws])
    intervals = [frechet_estimate(reference, draw, 60) for draw in draws]
    assert np.mean([i.low <= expected <= i.high for i in intervals]) >= 0.84


def test_equal_seeds_pair_the_resamples() -> None:
    """Two models from the same noise differ by less than either one varies."""
    reference, a = features(2000), features(500, seed=1)
    b = a + 0.01
    found_a, found_b = (bootstrap(frechet_figure(reference, rows), 500)[1] for rows in (a, b))
    assert np.std(found_a - found_b) < 0.1 * np.std(found_a)


# ---- Inception Score ----


def probabilities(count: int, classes: int = 10, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.3), count)


def test_inception_score_is_1_for_equal_rows_and_the_number_of_classes_for_sure_and_balanced_ones() -> None:
    assert inception_score(np.tile(probabilities(1), (50, 1))) == pytest.approx(1)
    assert inception_score(np.repeat(np.eye(10), 5, axis=0)) == pytest.approx(10)


def test_inception_score_agrees_with_torchmetrics() -> None:
    rows = probabilities(400)
    library = InceptionScore(feature=nn.Flatten(), splits=1).set_dtype(torch.float64)
    library.update(torch.from_numpy(np.log(rows)).reshape(400, 10, 1, 1))
    assert inception_score(rows) == pytest.approx(float(library.compute()[0]), rel=1e-6)


@pytest.mark.parametrize("bad", [np.ones(3), np.full((4, 10), 0.2), np.array([[1.5, -0.5]]), np.full((2, 2), np.nan)])
def test_rows_that_are_no_probabilities_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="probabilities must be rows"):
        inception_score(bad)


# ---- precision and recall ----


def test_precision_and_recall_agree_with_their_library() -> None:
    real, drawn = features(300), 0.8 * features(400, seed=1) + 0.5
    found = compute_prdc(real, drawn, nearest_k=3)
    assert Manifold.fit(real).holds(drawn).mean() == found["precision"]
    assert Manifold.fit(drawn).holds(real).mean() == found["recall"]
    assert 0.05 < found["precision"] < 0.95


def test_of_equal_sets_both_are_1_and_of_distant_ones_0() -> None:
    real = features(200)
    assert Manifold.fit(real).holds(real).all()
    assert not Manifold.fit(real).holds(real + 1000).any()


def test_copies_of_one_real_picture_have_precision_but_no_recall() -> None:
    real = features(200)
    copies = np.repeat(real[:1], 50, axis=0)
    assert Manifold.fit(real).holds(copies).all()
    assert Manifold.fit(copies).holds(real).sum() == 1


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Manifold.fit(features(120))
    monkeypatch.setattr("cfg_core.evaluation.precision_recall.ROWS", 7)
    blocks = Manifold.fit(features(120))
    assert np.array_equal(whole.squares, blocks.squares)
    assert np.array_equal(whole.holds(features(50, seed=1)), blocks.holds(features(50, seed=1)))


def test_a_manifold_needs_more_points_than_neighbours_of_one_dimension() -> None:
    with pytest.raises(ValueError, match=r"more than 3 finite rows, got the shape \(3, 8\)"):
        Manifold.fit(features(3))
    with pytest.raises(ValueError, match=r"must have 8 dimensions, got the shape \(9, 4\)"):
        Manifold.fit(features(50)).holds(features(9, 4))


# ---- Vendi score ----


@pytest.mark.parametrize(("count", "dimensions"), [(40, 8), (6, 20)])
def test_vendi_score_agrees_with_its_library(count: int, dimensions: int) -> None:
    rows = features(count, dimensions) + 0.1
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert vendi_score(rows) == pytest.approx(vendi.score_K(unit @ unit.T), rel=1e-9)


def test_the_near_vendi_score_agrees_with_the_library_on_its_kernel() -> None:
    rows = features(40)
    squares = ((rows[:, None] - rows[None]) ** 2).sum(2)
    assert vendi_score_near(rows, 1.7) == pytest.approx(vendi.score_K(np.exp(-squares / (2 * 1.7**2))), rel=1e-9)


def test_the_near_vendi_score_counts_what_is_far_apart() -> None:
    assert vendi_score_near(np.ones((16, 5)), 1) == pytest.approx(1)
    assert vendi_score_near(100 * np.eye(7), 1) == pytest.approx(7)
    assert vendi_score_near(np.repeat(100 * np.eye(7), 3, axis=0), 1) == pytest.approx(7)
    k = np.exp(-0.5)  # two points one bandwidth apart: eigenvalues (1 ± k)/2
    entropy = -sum(share * np.log(share) for share in ((1 + k) / 2, (1 - k) / 2))
    assert vendi_score_near([[0.0], [2.0]], 2) == pytest.approx(np.exp(entropy))
    for rows, bandwidth in (([[np.nan]], 1.0), ([[1.0]], 0.0)):
        with pytest.raises(ValueError, match="features must be finite rows and bandwidth positive"):
            vendi_score_near(rows, bandwidth)


def test_vendi_score_counts_different_samples_and_copies_add_nothing() -> None:
    assert vendi_score(np.ones((16, 5))) == pytest.approx(1)
    assert vendi_score(np.eye(7)) == pytest.approx(7)
    assert vendi_score(np.repeat(np.eye(7), 3, axis=0)) == pytest.approx(7)
    assert vendi_score(np.eye(7), np.array([1, 1, 1, 0, 0, 0, 0])) == pytest.approx(3)


def test_a_picture_without_features_is_refused() -> None:
    with pytest.raises(ValueError, match="finite rows other than 0"):
        vendi_score(np.zeros((3, 2)))


def test_counts_repeat_rows_in_every_metric() -> None:
    counts = np.random.default_rng(0).integers(0, 4, 50)
    rows, chances = features(50) + 0.1, probabilities(50)
    assert inception_score(chances, counts) == pytest.approx(inception_score(np.repeat(chances, counts, axis=0)))
    assert vendi_score(rows, counts) == pytest.approx(vendi_score(np.repeat(rows, counts, axis=0)))
