import pytest
import torch

from cfg_core.networks.linear import Linear


@pytest.mark.parametrize(("inputs", "outputs"), [(32, 128), (128, 128), (64, 10)])
def test_it_is_torchs_linear_layer_and_a_row_is_the_same_in_every_batch(inputs, outputs):
    torch.manual_seed(0)
    layer, x = Linear(inputs, outputs), torch.randn(64, inputs)
    with torch.inference_mode():
        whole = layer(x)
        assert torch.allclose(whole, torch.nn.Linear.forward(layer, x), atol=1e-5)
        for size in range(16, 64):
            assert torch.equal(layer(x[64 - size :]), whole[64 - size :]), f"{size} rows"
