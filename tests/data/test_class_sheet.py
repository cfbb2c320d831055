"""A sheet of a few pictures of each class: which they are, and what it says of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from cfg_core.data.class_sheet import METADATA, read_about, read_class_sheet, save_class_sheet
from cfg_core.data.datasets import synthetic


@pytest.mark.parametrize("channels", [1, 3])
def test_each_row_holds_pictures_of_its_class_none_twice(tmp_path: Path, channels: int) -> None:
    data = synthetic()
    data = replace(data, images=data.images.expand(-1, channels, -1, -1))
    save_class_sheet(tmp_path / "real.png", data, "shapes")
    sheet = np.array(Image.open(tmp_path / "real.png"))
    assert sheet.shape == ((64, 256) if channels == 1 else (64, 256, 3))
    tiles = torch.from_numpy(sheet.reshape(4, 16, 16, 16, channels).swapaxes(1, 2)).permute(0, 1, 4, 2, 3)
    for label, row in enumerate(tiles):
        found = (data.images[None] == row[:, None]).all((2, 3, 4)).nonzero()
        assert {int(data.labels[image]) for _, image in found} == {label}
        assert len({int(image) for _, image in found}) >= 16


def test_it_says_what_it_shows_and_under_which_licence(tmp_path: Path) -> None:
    data = synthetic()
    few = torch.cat([torch.arange(3), torch.arange(4, 2048)])  # one of the stripes is left out
    data = replace(data, images=data.images[few], labels=data.labels[few])
    save_class_sheet(tmp_path / "real.png", data, "shapes", most=600)
    assert read_about(tmp_path / "real.png") == {
        "data": "shapes", "licence": "CC0-1.0", "classes": list(data.classes), "columns": 511, "size": 16,
    }  # fmt: skip


def test_another_picture_is_none(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "other.png")
    for name in ("other.png", "absent.png"):
        with pytest.raises(ValueError, match="is not a sheet of pictures of each class"):
            read_about(tmp_path / name)


def test_its_pictures_are_read_back_by_class(tmp_path: Path) -> None:
    data = synthetic()
    save_class_sheet(tmp_path / "real.png", data, "shapes", most=5)
    sheet = read_class_sheet(tmp_path / "real.png", data.classes, (1, 16, 16))
    assert (sheet.data, sheet.licence, sheet.pictures.shape) == ("shapes", "CC0-1.0", (4, 5, 16, 16, 1))
    picture = np.array(Image.open(tmp_path / "real.png"))
    assert np.array_equal(sheet.pictures[3, 4, :, :, 0], picture[3 * 16 :, 4 * 16 :])


@pytest.mark.parametrize(
    ("classes", "shape", "sentence"),
    [
        (("a", "b"), (1, 16, 16), "must be a sheet of a, b"),
        (None, (1, 8, 8), "must be"),
        (None, (3, 16, 16), "must be"),
    ],
)
def test_a_sheet_of_other_classes_or_pictures_is_refused(
    tmp_path: Path, classes: tuple[str, ...] | None, shape: tuple[int, ...], sentence: str
) -> None:
    data = synthetic()
    save_class_sheet(tmp_path / "real.png", data, "shapes", most=5)
    with pytest.raises(ValueError, match=sentence):
        read_class_sheet(tmp_path / "real.png", classes or data.classes, shape)


@pytest.mark.parametrize(
    "about", ["3", "[]", "{}", '{"classes": 3}', '{"classes": ["a"]}', '{"classes": ["a"], "columns": 10000000000}']
)
def test_a_sheet_that_says_nonsense_is_refused(tmp_path: Path, about: str) -> None:
    metadata = PngImagePlugin.PngInfo()
    metadata.add_itxt(METADATA, about)
    Image.new("L", (8, 8)).save(tmp_path / "real.png", pnginfo=metadata)
    with pytest.raises(ValueError, match="must be"):
        read_class_sheet(tmp_path / "real.png", ("a",), (1, 8, 8))
