import pytest
import torch

from cfg_core.networks.linear import Linear


@pytest.mark.parametrize(("inputs", "outputs"), [(32, 64), (32, 128), (64, 64), (128, 512), (64, 10)])
def test_it_is_torchs_linear_layer_and_a_row_is_the_same_in_every_batch_and_position(inputs, outputs):
    torch.manual_seed(0)
    layer, x = Linear(inputs, outputs).eval(), torch.randn(64, inputs)
    with torch.inference_mode():
        whole = layer(x)
        assert torch.allclose(whole, torch.nn.Linear.forward(layer, x), atol=1e-5)
        assert torch.equal(layer(x.roll(1, 0)), whole.roll(1, 0))
        for size in range(1, 64):
            assert torch.equal(layer(x[64 - size :]), whole[64 - size :]), f"{size} rows"


def test_no_rows_are_no_rows():
    assert Linear(3, 5).eval()(torch.zeros(0, 3)).shape == (0, 5)


def test_within_autocast_rows_are_computed_in_float32_and_rounded_once():
    torch.manual_seed(0)
    layer, x = Linear(32, 64).eval(), torch.randn(8, 32)
    with torch.inference_mode():
        exact = layer(x)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(layer(x), exact.bfloat16())
