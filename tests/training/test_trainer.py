import numpy as np
import pytest
import torch

from cfg_core.checkpoints import format as checkpoints
from cfg_core.checkpoints.format import WEIGHTS, load_checkpoint
from cfg_core.data.datasets import synthetic
from cfg_core.data.pixels import to_unit
from cfg_core.training.finite import NotFiniteError
from tests.training.small_runs import advance, trainer


def test_every_picture_is_seen_once_an_epoch():
    run = trainer(batch=128)
    seen = torch.cat([run.batch(step).x.flatten(1) for step in range(2048 // 128)])
    once, count = to_unit(synthetic().images).flatten(1).unique(dim=0, return_counts=True)
    found, times = seen.unique(dim=0, return_counts=True)
    assert torch.equal(found, once)
    assert torch.equal(times, count)


def test_training_lowers_the_loss():
    reports = list(trainer(images=64 * 40).run(report_every=10))
    assert reports[-1].loss < 0.95 * reports[0].loss


def test_the_report_splits_the_loss():
    run, other = trainer(p_uncond=0.5), trainer(p_uncond=0.5)
    (report,) = run.run(report_every=100)
    sums = {False: [], True: []}
    for step in range(6):
        batch = other.batch(step)
        for loss, label in zip(other.losses(*batch).tolist(), batch.labels.tolist(), strict=True):
            sums[label == 4].append(loss)
        other.advance()
    assert (report.step, report.images) == (6, 384)
    assert report.conditional == pytest.approx(np.mean(sums[False]), rel=1e-4)
    assert report.unconditional == pytest.approx(np.mean(sums[True]), rel=1e-4)
    assert report.loss == pytest.approx(np.mean(sums[False] + sums[True]), rel=1e-4)


@pytest.mark.parametrize(("p_uncond", "absent"), [(0.0, "unconditional"), (1.0, "conditional")])
def test_a_report_has_no_loss_of_samples_that_there_were_not(p_uncond, absent):
    (report,) = trainer(p_uncond=p_uncond).run(report_every=100)
    assert getattr(report, absent) is None
    assert report.loss == report.conditional or report.loss == report.unconditional


def test_a_step_whose_loss_is_not_finite_changes_nothing_and_is_named():
    run = advance(trainer(), 2)
    with torch.no_grad():
        run.network.out.bias[0] = torch.nan
    before = {name: tensor.clone() for name, tensor in run.tensors().items()}
    with pytest.raises(NotFiniteError, match="loss must be finite, got nan in step 3 of 6"):
        run.advance()
    for name, tensor in run.tensors().items():
        assert torch.equal(tensor.nan_to_num(7), before[name].nan_to_num(7)), name
    assert run.step == 2


def test_a_gradient_that_is_not_finite_stops_the_run_where_the_loss_is():
    run = advance(trainer(), 1)
    run.network.out.weight.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(NotFiniteError, match=r"norm of the gradient must be finite, got (nan|inf) in step 2 of 6"):
        run.advance()


def test_weights_beyond_what_a_space_takes_are_kept_in_half(tmp_path, monkeypatch):
    run = advance(trainer(), 1)
    run.save(tmp_path / "whole", "")
    monkeypatch.setattr(checkpoints, "MAX_FILE_BYTES", 1000)
    run.save(tmp_path / "half", "")
    whole, half = (tmp_path / name / "checkpoint" / WEIGHTS for name in ("whole", "half"))
    assert 0.4 < half.stat().st_size / whole.stat().st_size < 0.6
    loaded = load_checkpoint(tmp_path / "half" / "checkpoint").denoiser.network.state_dict()
    for name, tensor in run.emas[0.1].items():
        torch.testing.assert_close(loaded[name], tensor, rtol=1e-3, atol=1e-6)
        assert loaded[name].dtype == torch.float32


def test_a_model_says_that_it_is_in_training_until_it_is_not(tmp_path):
    run = advance(trainer(images=64 * 2), 1)
    run.save(tmp_path, "")
    assert load_checkpoint(tmp_path / "checkpoint").config.about.startswith("synthetic · in training, 64 images so far")
    advance(run, 1).save(tmp_path, "")
    assert load_checkpoint(tmp_path / "checkpoint").config.about.startswith("synthetic · 128 images")
