import pytest
import torch

from cfg_core.checkpoints import format as checkpoint_format
from cfg_core.diffusion.schedule import Schedule, alpha_sigma
from cfg_core.training.loss import LOSS_WEIGHTS, algorithm_1_losses, drop_labels
from tests.training.small_runs import trainer


def test_labels_are_dropped_one_by_one_at_the_asked_rate():
    labels = torch.arange(4).repeat(25_000)
    dropped = drop_labels(labels, 4, 0.1, torch.Generator().manual_seed(0)) == 4
    assert dropped.double().mean().item() == pytest.approx(0.1, abs=0.003)
    for label in range(4):
        assert dropped[labels == label].double().mean().item() == pytest.approx(0.1, abs=0.006)
    pairs = dropped[:-1] & dropped[1:]
    assert pairs.double().mean().item() == pytest.approx(0.01, abs=0.002)


@pytest.mark.parametrize(("p_uncond", "expected"), [(0.0, False), (1.0, True)])
def test_no_label_or_every_label_can_be_dropped(p_uncond, expected):
    dropped = drop_labels(torch.zeros(1000, dtype=torch.long), 4, p_uncond, torch.Generator()) == 4
    assert (dropped == expected).all()


def test_gradients_reach_the_null_embedding():
    run = trainer(p_uncond=0.5)
    torch.nn.init.normal_(run.network.out.weight)
    for block in run.network.decoder[0]:
        torch.nn.init.normal_(block.conv2.weight)
    run.losses(*run.batch(0)).mean().backward()
    assert run.network.label_embedding.weight.grad[4].abs().max() > 0


def test_the_epsilon_weight_is_algorithm_1():
    run = trainer(loss_weight="epsilon")
    x, labels, u, eps = run.batch(0)
    alpha, sigma = (c[:, None, None, None].float() for c in alpha_sigma(Schedule().log_snr(u)))
    z = alpha * x + sigma * eps
    v = run.network(z, Schedule().log_snr(u).float(), labels)
    expected = (sigma * z + alpha * v - eps).square().mean((1, 2, 3))
    torch.testing.assert_close(run.losses(x, labels, u, eps), expected, rtol=1e-4, atol=1e-6)


def test_the_min_snr_weight_is_the_error_of_x_times_the_snr_of_at_most_5():
    generator = torch.Generator().manual_seed(0)
    x, eps, guess = (torch.randn(64, 1, 4, 4, generator=generator) for _ in range(3))
    log_snr = torch.linspace(-10, 10, 64, dtype=torch.float64)
    alpha, sigma = (c[:, None, None, None].float() for c in alpha_sigma(log_snr))
    found = algorithm_1_losses(lambda *_: guess, x, torch.zeros(64), log_snr, eps, LOSS_WEIGHTS["min_snr"])
    error = (alpha * (alpha * x + sigma * eps) - sigma * guess - x).square().mean((1, 2, 3))
    torch.testing.assert_close(found, error * log_snr.exp().clamp(max=5).float(), rtol=1e-3, atol=1e-4)


def test_checkpoints_know_every_loss_weight_by_name():
    assert tuple(LOSS_WEIGHTS) == checkpoint_format.LOSS_WEIGHTS
