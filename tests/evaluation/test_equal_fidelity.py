"""Rules at equal fidelity: one that only guides harder is not told apart, and one that is better is."""

import numpy as np
import pytest

from cfg_core.evaluation.bootstrap import weighted_mean
from cfg_core.evaluation.equal_fidelity import Traced, compared_at_equal_fidelity

COUNT = 400
NOISE = np.random.default_rng(0).uniform(size=(2, COUNT))


def traced(strength=1.0, better=0.0, own_noise=NOISE, w=(0.0, 0.5, 1.0, 2.0, 4.0, 8.0)):
    """A sweep whose sureness rises with strength · w and whose figure depends on the sureness alone, but for better."""
    own = np.array([1 - 0.4 * own_noise[0] * np.exp(-strength * each) for each in w])
    loss = [1 - 2 * (1 - sure) + 0.2 * own_noise[1] - better for sure in own]
    return Traced(own, [lambda counts, values=values: weighted_mean(values, counts) for values in loss])


def test_a_rule_that_only_guides_harder_is_not_told_apart_at_any_level():
    found = compared_at_equal_fidelity(traced(strength=3.0), traced(), resamples=100)
    assert [each.level for each in found] == [0.85, 0.90, 0.95, 0.98]
    for each in found:
        assert each.difference.value == pytest.approx(0, abs=1e-9), "the figure is linear in sureness"
        assert each.difference.low <= 1e-9
        assert each.difference.high >= -1e-9


def test_at_equal_w_the_same_two_do_differ():
    harder, plain = traced(strength=3.0), traced()
    every = np.ones(COUNT)
    assert harder.figures[2](every) > plain.figures[2](every) + 0.05


def test_one_that_is_better_is_told_apart_by_what_it_is_better():
    for each in compared_at_equal_fidelity(traced(better=0.03), traced(), resamples=100):
        assert each.told_apart
        assert each.difference.value == pytest.approx(-0.03)
        assert each.rule - each.plain == pytest.approx(each.difference.value)


def test_pairing_the_noises_is_what_makes_a_small_difference_visible():
    others = np.random.default_rng(1).uniform(size=(2, COUNT))
    paired, apart = (
        compared_at_equal_fidelity(traced(better=0.005, own_noise=noise), traced(), resamples=100)[1].difference
        for noise in (NOISE, others)
    )
    assert paired.high - paired.low < 0.1 * (apart.high - apart.low)


def test_a_figure_is_interpolated_on_its_curve():
    own = np.repeat([[0.8], [0.9], [1.0]], 5, axis=1)
    sweep = Traced(own, [lambda counts, value=value: value for value in (3.0, 1.0, 2.0)])
    assert sweep.at([0.85, 0.9, 0.975], np.ones(5), None) == pytest.approx([2.0, 1.0, 1.75])


def test_a_level_that_a_sweep_does_not_reach_is_left_out():
    weak = traced(w=(0.0, 0.5))
    assert [each.level for each in compared_at_equal_fidelity(weak, traced(), resamples=50)] == [0.85]


def test_recall_is_resampled_over_the_real_images():
    held = np.random.default_rng(2).uniform(size=(3, 60)) < np.array([[0.8], [0.5], [0.3]])
    own = np.repeat([[0.8], [0.9], [1.0]], 5, axis=1)
    sweep = Traced(own, [lambda counts, row=row: weighted_mean(row, counts) for row in held], real=60)
    [first, *_] = compared_at_equal_fidelity(sweep, sweep, resamples=20)
    assert first.difference.low == first.difference.high == 0
    with pytest.raises(ValueError, match="both sweeps must have as many samples and real images, got 5 and 60, 400"):
        compared_at_equal_fidelity(sweep, traced())
