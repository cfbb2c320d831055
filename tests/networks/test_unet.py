import pytest
import torch

from cfg_core.networks.unet import UNet, UNetConfig
from tests.conftest import CONFIG, small_network

Z, LOG_SNR = torch.randn(12, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.linspace(-20, 20, 12)
LABELS = torch.arange(12) % 11


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"channels": 0}, "channels must be a whole number from 1 to 16, got 0"),
        ({"channels": 1.5}, "channels must be a whole number from 1 to 16, got 1.5"),
        ({"num_classes": -3}, "num_classes must be a whole number from 1 to 100000, got -3"),
        ({"patch": True}, "patch must be a whole number from 1 to 16, got True"),
        ({"embedding": "128"}, "embedding must be a whole number from 16 to 4096, got '128'"),
        ({"widths": (), "encoder": (), "decoder": ()}, "widths must be a list of 1 to 6 numbers, got"),
        ({"widths": (16,)}, "widths, encoder and decoder must have one entry a level"),
        ({"widths": (16, 40)}, "widths must be multiples of 16, got 40"),
        ({"widths": (16, 0)}, "widths must be a whole number from 16 to 2048, got 0"),
        ({"encoder": (1, -1)}, "blocks of a level must be a whole number from 0 to 16, got -1"),
        ({"size": 30}, "size must be a multiple of 4 for this network, got 30"),
        ({"size": float("nan")}, "size must be a whole number from 4 to 1024, got nan"),
        ({"late": 1}, "late must be true or false, got 1"),
    ],
)
def test_a_field_out_of_range_is_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        UNetConfig(**{**CONFIG, **change})


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_pictures_in_pictures_out(late, levels):
    widths, blocks = (16, 32, 48)[:levels], (1, 1, 2)[:levels]
    network = small_network(late=late, channels=3, widths=widths, encoder=blocks, decoder=blocks)
    out = network(torch.randn(5, 3, 8, 8), torch.zeros(5), torch.arange(5))
    assert out.shape == (5, 3, 8, 8)
    assert float(out.detach().std()) > 0


def test_a_fresh_network_predicts_0():
    assert not UNet(UNetConfig(**CONFIG))(Z, LOG_SNR, LABELS).any()


@pytest.mark.parametrize("late", [True, False])
def test_rows_say_which_picture_a_label_looks_at(late):
    network = small_network(late=late)
    generator = torch.Generator().manual_seed(1)
    rows, labels = (torch.randint(high, (20,), generator=generator) for high in (12, 11))
    with torch.inference_mode():
        asked = network(Z, LOG_SNR, labels, rows)
        assert torch.allclose(asked, network(Z[rows], LOG_SNR[rows], labels), atol=1e-5)


@pytest.mark.parametrize("late", [True, False])
def test_every_input_matters(late):
    network = small_network(late=late)
    with torch.inference_mode():
        out = network(Z, LOG_SNR, LABELS)
        for changed in [(Z.flip(0), LOG_SNR, LABELS), (Z, LOG_SNR + 1, LABELS), (Z, LOG_SNR, (LABELS + 1) % 11)]:
            assert float((network(*changed) - out).abs().amax((1, 2, 3)).min()) > 1e-3


def test_late_conditioning_keeps_the_class_out_of_the_trunk():
    network = small_network(late=True)
    seen = []
    for part in (network.stem, network.encoder[-1][-1]):
        part.register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.inference_mode():
        network(Z, LOG_SNR, LABELS)
        network(Z, LOG_SNR, LABELS.flip(0))
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])


@pytest.mark.parametrize("late", [True, False])
def test_gradients_reach_every_label_that_was_seen_the_null_class_too(late):
    network = small_network(late=late)
    labels = torch.tensor([10, 0, 3] * 4)
    network(Z, LOG_SNR, labels).square().mean().backward()
    reached = network.label_embedding.weight.grad.abs().sum(1) > 0
    assert reached.nonzero().squeeze(1).tolist() == [0, 3, 10]
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())
