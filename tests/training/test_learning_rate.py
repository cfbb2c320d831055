import pytest

from cfg_core.training.learning_rate import learning_rate
from tests.training.small_runs import options


def test_the_learning_rate_warms_up_and_ends_at_zero():
    o = options(images=1_000_000, batch=100)
    assert learning_rate(o, 0) == pytest.approx(o.learning_rate / 100)
    assert learning_rate(o, 100) == pytest.approx(o.learning_rate, rel=1e-3)
    assert learning_rate(o, o.steps) == 0


@pytest.mark.parametrize(
    ("decay", "quarter", "middle", "end"),
    [("cosine", 0.5 + 0.125**0.5, 0.5, 0), ("linear", 0.75, 0.5, 0), ("constant", 1, 1, 1), ("stable", 1, 1, 0)],
)
def test_the_learning_rate_decays_as_chosen(decay, quarter, middle, end):
    o = options(images=1_000_000, batch=100, decay=decay)
    shares = [learning_rate(o, step) / o.learning_rate for step in (0, 2500, 5000, 10_000)]
    assert shares == pytest.approx([0.01, quarter, middle, end], abs=1e-9)


def test_the_stable_decay_is_constant_for_60_percent_and_then_linear():
    o = options(images=1_000_000, batch=100, decay="stable")
    shares = [learning_rate(o, step) / o.learning_rate for step in (100, 6000, 7000, 8000, 9000, 10_000)]
    assert shares == pytest.approx([1, 1, 0.75, 0.5, 0.25, 0])
