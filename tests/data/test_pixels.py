import pytest
import torch

from cfg_core.data.pixels import check_finite, cut_out, mirrored, shifted, to_bytes, to_unit


def test_bytes_survive_the_way_to_the_unit_range_and_back():
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(every)), every)
    assert to_unit(every).aminmax() == (torch.tensor(-1.0), torch.tensor(1.0))
    assert to_bytes(torch.tensor([-5.0, 5.0])).tolist() == [0, 255]


def test_each_picture_is_mirrored_by_itself():
    pictures = torch.arange(4, dtype=torch.uint8).reshape(1, 1, 4).repeat(400, 1, 1, 1)
    rows = mirrored(pictures, 0.25, torch.Generator().manual_seed(0)).squeeze().tolist()
    assert {tuple(row) for row in rows} == {(0, 1, 2, 3), (3, 2, 1, 0)}
    assert 260 < rows.count([0, 1, 2, 3]) < 340


def test_nothing_is_mirrored_with_probability_0():
    pictures = torch.arange(4, dtype=torch.uint8).reshape(1, 1, 4).repeat(400, 1, 1, 1)
    assert torch.equal(mirrored(pictures, 0, torch.Generator().manual_seed(0)), pictures)


def test_each_picture_is_shifted_by_itself_and_reflected_at_the_border():
    picture = torch.arange(2 * 64, dtype=torch.uint8).reshape(1, 2, 8, 8)
    moved = {tuple(each.flatten().tolist()) for each in shifted(picture.repeat(200, 1, 1, 1), 1, torch.Generator())}
    assert len(moved) == 9, "−1, 0 or 1 pixel down, and as many to the right"
    down = torch.cat([picture[:, :, 1:2], picture[:, :, :-1]], 2)
    right = torch.cat([picture[..., 1:2], picture[..., :-1]], 3)
    assert all(tuple(each.flatten().tolist()) in moved for each in (picture, down, right))


def test_nothing_is_shifted_by_0_pixels():
    pictures = torch.arange(4, dtype=torch.uint8).reshape(1, 1, 2, 2)
    assert torch.equal(shifted(pictures, 0, torch.Generator()), pictures)


def test_a_square_is_cut_out_of_each_picture_at_a_place_of_its_own():
    pictures = torch.zeros(200, 2, 5, 5, dtype=torch.uint8)
    cut = cut_out(pictures, 3, torch.Generator().manual_seed(0)) == 128
    assert cut.sum((1, 2, 3)).unique().tolist() == [2 * 3 * 3]
    assert torch.equal(cut.any(2).sum(2), torch.full((200, 2), 3)), "three columns wide"
    assert len(cut.unique(dim=0)) == 9, "and wherever it fits"
    assert torch.equal(cut_out(pictures, 0, torch.Generator()), pictures)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_samples_that_are_not_finite_are_refused_before_they_become_black(value):
    x = torch.zeros(2, 1, 3, 3)
    assert check_finite(x) is x
    x[1, 0, 2, 2] = value
    with pytest.raises(ValueError, match="samples must be finite, got 1 of 18 values that are not"):
        check_finite(x)
