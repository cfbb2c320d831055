"""The classifier of clean images, with a stem at full resolution and without."""

import pytest
import torch

from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork


def network(size: int, *widths: int, stem: int = 24) -> ClassifierNetwork:
    torch.manual_seed(0)
    return ClassifierNetwork(ClassifierArchitecture(3, size, 10, widths, stem=stem)).eval()


@pytest.mark.parametrize("count", [16, 17, 32, 50, 64])
def test_an_image_does_not_depend_on_its_batch(count: int) -> None:
    classifier = network(32, 64, 256, 256)
    x = torch.randn(128, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(classifier(x[:count]), classifier(x)[:count])


@pytest.mark.parametrize("stem", [0, 8])
def test_the_smallest_image_has_one_position_left_at_the_last_resolution(stem: int) -> None:
    least = 10 if stem else 8
    assert network(least, 8, 8, 8, stem=stem)(torch.zeros(2, 3, least, least)).shape == (2, 10)
    with pytest.raises(ValueError, match="size must be a whole number from"):
        ClassifierArchitecture(3, least - 2, 10, (8, 8, 8), stem=stem)


def test_without_a_stem_weights_are_named_as_in_files_from_before_stems() -> None:
    shapes = {name: tuple(t.shape) for name, t in network(32, 8, 16, stem=0).body.state_dict().items() if t.ndim == 4}
    first = {"0.weight": (8, 12, 3, 3), "3.weight": (8, 8, 3, 3)}
    assert shapes == first | {"7.weight": (16, 8, 3, 3), "10.weight": (16, 16, 3, 3)}


def test_a_mirrored_classifier_tells_no_side_from_the_other_and_averages_both() -> None:
    torch.manual_seed(0)
    both = ClassifierNetwork(ClassifierArchitecture(3, 16, 4, (8, 8), stem=8, mirrored=True)).eval()
    one = ClassifierNetwork(ClassifierArchitecture(3, 16, 4, (8, 8), stem=8)).eval()
    one.load_state_dict(both.state_dict())
    x = torch.randn(5, 3, 16, 16)
    assert torch.equal(both(x), both(x.flip(3)))
    assert not torch.allclose(one.embed(x), one.embed(x.flip(3)))
    torch.testing.assert_close(both.embed(x), (one.embed(x) + one.embed(x.flip(3))) / 2)
