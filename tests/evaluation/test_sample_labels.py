"""The classes of a sweep's samples: in the frequencies of the training data."""

import pytest
import torch

from cfg_core.evaluation.sweep import sample_labels


def test_labels_of_balanced_data_go_round_the_classes() -> None:
    assert torch.equal(sample_labels((5000,) * 10, 1003), torch.arange(1003) % 10)


@pytest.mark.parametrize("counts", [(900, 100), (1, 2, 3, 4), (7, 0, 3), (1, 10_000)])
def test_labels_follow_the_frequencies_of_the_data_in_every_prefix(counts: tuple[int, ...]) -> None:
    shares = torch.tensor(counts, dtype=torch.float64) / sum(counts)
    labels = sample_labels(counts, 1000)
    found = torch.nn.functional.one_hot(labels, len(counts)).cumsum(0).double()
    expected = torch.arange(1, 1001)[:, None] * shares
    assert float((found - expected).abs().max()) < len(counts) / 2
    assert torch.equal(sample_labels(counts, 300), labels[:300])
