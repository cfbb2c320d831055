from pathlib import Path

import pytest
import torch

from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.diffusion.mixture import MixtureDenoiser
from cfg_core.diffusion.network_denoiser import MIN_ROWS, NetworkDenoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import Schedule, alpha_sigma
from cfg_core.grids.request import GridRequest
from cfg_core.sampling.loop import advance_jobs, begin, sample
from cfg_core.serving.precomputed import draw_frame
from tests.conftest import small_network

CPU = torch.device("cpu")
SHIPPED = Path(__file__).parents[2] / "checkpoints" / "fashion-mnist"
CROWD = 64


def batch(size, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(size, 1, 8, 8, generator=generator, dtype=dtype)
    return z, torch.linspace(-20, 20, size, dtype=torch.float64), torch.arange(size) % 11


@pytest.fixture
def ten_gaussians():
    return MixtureDenoiser(torch.arange(10.0).reshape(10, 1, 1), torch.ones(10, 1))


def test_x_eps_v_and_score_are_one_prediction(tiny_denoiser):
    z, log_snr, labels = batch(21, dtype=torch.float64)
    prediction = tiny_denoiser(z, log_snr, labels)
    alpha, sigma = (c.reshape(-1, 1, 1, 1) for c in alpha_sigma(log_snr))
    assert torch.allclose(alpha * prediction.x + sigma * prediction.eps, z, atol=1e-12)
    assert torch.allclose(prediction.v, alpha * prediction.eps - sigma * prediction.x, atol=1e-12)
    assert torch.allclose(prediction.score * sigma, -prediction.eps, atol=1e-12)
    assert torch.allclose(prediction.x, alpha * z - sigma * prediction.v, atol=1e-9)


@pytest.mark.parametrize("kind", ["x", "eps", "v"])
def test_a_prediction_is_the_same_from_x_eps_or_v(tiny_denoiser, kind):
    z, log_snr, labels = batch(21, dtype=torch.float64)
    there = tiny_denoiser(z, log_snr, labels)
    same = getattr(Prediction, f"from_{kind}")(z, log_snr, getattr(there, kind))
    assert torch.allclose(same.x, there.x, rtol=1e-8, atol=1e-6)
    assert torch.allclose(same.eps, there.eps, rtol=1e-8, atol=1e-6)


def test_the_network_predicts_v(tiny_denoiser):
    z, log_snr, labels = batch(21)
    v = tiny_denoiser.network(z, log_snr.float(), labels)
    assert float(v.detach().std()) > 0.1
    assert torch.allclose(tiny_denoiser(z, log_snr, labels).v, v, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_extremes_of_log_snr_stay_finite(tiny_denoiser, dtype):
    z, log_snr, labels = batch(2, dtype=dtype)
    assert log_snr.tolist() == [-20, 20]
    prediction = tiny_denoiser(z, log_snr, labels)
    for each in (prediction.x, prediction.eps, prediction.v, prediction.score):
        assert each.dtype == dtype
        assert bool(each.isfinite().all())


def test_the_null_label_is_the_number_of_classes(tiny_denoiser):
    z, log_snr, labels = batch(20)
    assert tiny_denoiser.null_label == 10
    unconditional = tiny_denoiser(z, log_snr, torch.full_like(labels, 10))
    conditional = tiny_denoiser(z, log_snr, torch.zeros_like(labels))
    assert not torch.allclose(unconditional.x, conditional.x, atol=1e-2)  # class 0 is a class


@pytest.mark.parametrize("labels", [[10.5], [3.5], [-1], [11], [float("nan")]])
@pytest.mark.parametrize("name", ["tiny_denoiser", "ten_gaussians"])
def test_labels_that_are_none_are_refused(request, name, labels):
    denoiser = request.getfixturevalue(name)
    with pytest.raises(ValueError, match=r"labels must be whole numbers from 0 to 10 .*, got \[(10.5|3.5|-1|11|nan)\]"):
        denoiser(torch.zeros(1, *denoiser.shape), torch.zeros(1), torch.tensor(labels))


def test_a_wrong_number_of_names_is_refused():
    with pytest.raises(ValueError, match="classes must name 10 classes, got 2 names"):
        NetworkDenoiser(small_network(), Schedule(), ("shirt", "boot"))


def test_a_denoiser_does_not_draw_in_training_mode():
    assert not NetworkDenoiser(small_network().train(), Schedule(), tuple("abcdefghij")).network.training


@pytest.mark.parametrize("late", [True, False])
def test_pair_is_two_evaluations_to_the_bit(late):
    denoiser = NetworkDenoiser(small_network(late=late), Schedule(), tuple("abcdefghij"))
    z, log_snr, labels = batch(18)
    conditional, unconditional = denoiser.pair(z, log_snr, labels)
    alone = denoiser(z, log_snr, labels), denoiser(z, log_snr, torch.full_like(labels, 10))
    for half, whole in zip((conditional, unconditional), alone, strict=True):
        assert torch.equal(half.x, whole.x)
        assert torch.equal(half.eps, whole.eps)


@pytest.mark.parametrize(("late", "seen"), [(True, 20), (False, 40)])
def test_late_conditioning_runs_the_trunk_once_a_picture(late, seen):
    denoiser = NetworkDenoiser(small_network(late=late), Schedule(), tuple("abcdefghij"))
    rows = []
    denoiser.network.stem.register_forward_hook(lambda module, inputs, output: rows.append(len(output)))
    denoiser.pair(*batch(20))
    assert rows == [seen]


def test_small_batches_are_padded(tiny_denoiser):
    rows = []
    tiny_denoiser.network.stem.register_forward_hook(lambda module, inputs, output: rows.append(len(output)))
    tiny_denoiser.network.out.register_forward_hook(lambda module, inputs, output: rows.append(len(output)))
    for size, padded in [(1, MIN_ROWS), (MIN_ROWS, MIN_ROWS), (21, 24)]:
        rows.clear()
        assert len(tiny_denoiser(*batch(size)).x) == size
        assert rows == [padded, padded]


def test_rows_of_a_prediction_are_samples():
    prediction = Prediction.from_v(torch.ones(3, 2), torch.tensor([-1.0, 0.0, 1.0]), torch.rand(3, 2))
    assert torch.equal(prediction[torch.tensor([2, 0])].x, prediction.x[[2, 0]])
    assert torch.equal(prediction[1:].eps, prediction.eps[1:])


# ---- A picture does not depend on the company it is drawn in -------------------------------------------------------


def job(denoiser, samples, *, seed=3, **options):
    """Samples whose label and w are functions of their number, so that any batch of them asks for the same pictures."""
    samples = list(samples)
    numbers = torch.tensor(samples)
    w = (numbers % 5).float() - 1  # −1, 0, 1, 2, 3: all kinds of halves
    return begin(denoiser, grid_noise(seed, samples, (1, 8, 8), CPU), numbers % 10, w, **options)


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "ancestral"])
@pytest.mark.parametrize("late", [True, False])
def test_a_sample_is_bit_identical_in_every_batch_and_position(late, sampler):
    denoiser = NetworkDenoiser(small_network(late=late), Schedule(), tuple("abcdefghij"))
    crowd = sample(denoiser, job(denoiser, range(CROWD), sampler=sampler, steps=3))
    for size in (1, 2, 7, 15, 16, 17, 33, 63):
        first = (37 * size) % (CROWD - size + 1)
        some = sample(denoiser, job(denoiser, range(first, first + size), sampler=sampler, steps=3))
        assert torch.equal(some, crowd[first : first + size]), f"{size} samples from {first} on"
    backwards = sample(denoiser, job(denoiser, reversed(range(CROWD)), sampler=sampler, steps=3))
    assert torch.equal(backwards.flip(0), crowd)


def test_every_batch_size_from_1_to_64_evaluates_a_row_alike(tiny_denoiser):
    z, log_snr, labels = batch(CROWD)
    with torch.inference_mode():
        crowd = tiny_denoiser(z, log_snr, labels)
        for size in range(1, CROWD):
            first = (CROWD - size) // 2
            rows = slice(first, first + size)
            assert torch.equal(tiny_denoiser(z[rows], log_snr[rows], labels[rows]).x, crowd.x[rows]), f"{size} rows"


@pytest.mark.parametrize("threads", [2, 3])
def test_pictures_divided_between_cores_are_those_of_all_cores_together(tiny_denoiser, threads):
    """In any order of rows, some pictures looked at once, some twice, some never."""
    z, log_snr, _ = batch(CROWD)
    rows = torch.randint(CROWD, (90,), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(90) % 11
    before, calls = torch.get_num_threads(), []
    tiny_denoiser.network.stem.register_forward_hook(lambda module, inputs, output: calls.append(len(output)))
    try:
        torch.set_num_threads(threads)
        together = tiny_denoiser.predict(z, log_snr, labels, rows)
        with torch.inference_mode():
            divided = tiny_denoiser.predict(z, log_snr, labels, rows)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert calls[0] == CROWD
    assert len(calls) == 1 + threads
    assert torch.equal(divided.x, together.x)


def test_jobs_of_different_people_do_not_touch_each_other(tiny_denoiser):
    asked = [
        {"samples": range(3), "sampler": "dpmpp_2m", "steps": 4},
        {"samples": range(5, 22), "sampler": "heun", "steps": 2, "seed": 9},
        {"samples": [40], "sampler": "ancestral", "steps": 6},
        {"samples": [2, 1], "sampler": "ddim", "steps": 3},
    ]
    alone = [sample(tiny_denoiser, job(tiny_denoiser, **each)) for each in asked]
    jobs = [job(tiny_denoiser, **each) for each in asked]
    while running := [each for each in jobs if not each.state.done]:
        advance_jobs(tiny_denoiser, running)
    for each, expected in zip(jobs, alone, strict=True):
        assert torch.equal(each.state.z, expected)


GPU = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"))


@pytest.mark.parametrize("device", ["cpu", GPU])
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_in_half_precision_pictures_move_no_more_than_its_rounding_explains(precision, device):
    """The reference is the same network in float32 whose weights, inputs and outputs of every layer are rounded.

    Autocast also rounds sums and activations between the layers: 1.4 times the reference on the CPUs tried.
    """
    exact, half, reference = load_checkpoint(SHIPPED), load_checkpoint(SHIPPED, device, precision), rounded(precision)
    request = GridRequest(exact.hash, tuple(range(10)), samples=1, steps=4)
    pictures, moved, expected = (
        draw_frame(checkpoint.denoiser, request).pixels.astype(int) for checkpoint in (exact, half, reference)
    )
    off, explained = abs(pictures - moved), abs(pictures - expected)
    assert off.mean() < 2 * explained.mean(), "in 256 levels of grey"
    assert off.max() <= 3 * explained.max()
    assert off.mean() < 0.01 * 255, "less than an eye can see"
    assert off.max() > 0, "it must have been another precision"


def rounded(precision):
    """The shipped model in float32, every layer's weights, inputs and outputs rounded to a precision."""

    def of(tensor):
        return tensor.to(precision).float()

    checkpoint = load_checkpoint(SHIPPED)
    for layer in checkpoint.denoiser.network.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            layer.weight.data = of(layer.weight.data)
            layer.register_forward_pre_hook(lambda module, inputs: (of(inputs[0]),))
            layer.register_forward_hook(lambda module, inputs, output: of(output))
    return checkpoint
