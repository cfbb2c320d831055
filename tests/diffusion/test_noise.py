import torch

from cfg_core.diffusion.noise import grid_noise, noise

CPU = torch.device("cpu")


def test_noise_is_pinned():
    first = noise(0, 0, 0, (3,))
    assert first.dtype == torch.float32
    pinned = [0.059911035001277924, 0.015559634193778038, -1.1644384860992432]
    assert torch.equal(first, torch.tensor(pinned))
    assert noise(7, 3, 2, (2,)).tolist() == [
        0.21961256861686707,
        0.06832507997751236,
    ]  # seed, sample and step in this order


def test_the_same_seed_sample_and_step_give_the_same_noise():
    assert torch.equal(noise(7, 3, 2, (1, 8, 8)), noise(7, 3, 2, (1, 8, 8)))


def test_every_seed_sample_and_step_has_its_own_noise():
    keys = [(seed, sample, step) for seed in (0, 1, 2**32) for sample in (0, 1, 2**20) for step in (0, 1, 255)]
    drawn = {tuple(noise(*key, (4,)).tolist()) for key in keys}
    assert len(drawn) == len(keys)


def test_streams_do_not_overlap():
    """Philox counts its blocks in the counter's low words: neighbours there would be one stream, shifted."""
    values = [set(noise(0, sample, step, (2000,)).tolist()) for sample in range(3) for step in range(3)]
    shared = [len(a & b) for i, a in enumerate(values) for b in values[:i]]
    assert max(shared) < 20  # chance, among 2000 float32


def test_a_grid_that_grows_keeps_its_samples():
    small, large = grid_noise(5, range(4), (1, 4, 4), CPU), grid_noise(5, range(16), (1, 4, 4), CPU)
    for step in (0, 1, 9):
        assert torch.equal(small(step), large(step)[:4])
    assert torch.equal(grid_noise(5, [9, 2], (1, 4, 4), CPU)(1), large(1)[[9, 2]])


def test_noise_is_standard_normal_across_samples_and_within_one():
    across = torch.stack([noise(1, sample, 3, (5,)) for sample in range(4000)])
    within = noise(2, 0, 0, (4000, 5))
    for drawn in (across, within):
        assert drawn.mean(0).abs().max() < 0.06
        assert (drawn.T.cov() - torch.eye(5)).abs().max() < 0.08
        assert abs(float((drawn**4).mean()) - 3) < 0.2
