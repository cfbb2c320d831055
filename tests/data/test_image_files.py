"""Pictures of whatever kind come out alike, or one sentence says why not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cfg_core.data.datasets import load_dataset
from cfg_core.data.folders import from_folder
from tests.data.pictures import folder, picture


def test_grey_pictures_stay_grey_and_among_coloured_ones_become_coloured(tmp_path):
    grey = picture(mode="L")
    assert from_folder(folder(tmp_path / "one", a=[grey] * 9), "train").images.shape == (9, 1, 8, 8)
    mixed = from_folder(folder(tmp_path / "two", a=[grey] * 5 + [picture()] * 4), "train")
    assert mixed.images.shape == (9, 3, 8, 8)
    assert len(set(mixed.images[0, :, 0, 0].tolist())) == 1
    assert load_dataset(str(tmp_path / "two"), channels=1).images.shape == (9, 1, 8, 8)


def sixteen_bits(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.mark.parametrize(
    ("ending", "kind"), [("png", "<u2"), ("tif", "<u2"), ("tif", ">u2"), ("tif", "<i4"), ("pgm", "<u2")]
)
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_grey_of_16_bits_keeps_its_shades(tmp_path, ending, kind, channels):
    shades = np.linspace(0, 0xFFFF, 64).reshape(8, 8)
    for n in range(9):
        sixteen_bits(tmp_path / "a" / f"{n}.{ending}", shades.astype(kind))
    found = from_folder(tmp_path, "train", channels=channels).images
    assert found.shape == (9, channels or 1, 8, 8)
    assert np.abs(found[0].numpy() - shades / 257).max() < 0.51


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.full((8, 8), 0.5, np.float32), "0.tif must have grey values of 8 or 16 bits, got floating-point numbers"),
        (np.full((8, 8), 70_000, np.int32), "0.tif must have grey values from 0 to 65535, got 70000 to 70000"),
        (np.full((8, 8), -1, np.int32), "0.tif must have grey values from 0 to 65535, got -1 to -1"),
    ],
)
def test_grey_without_a_known_white_is_refused(tmp_path, values, sentence):
    sixteen_bits(tmp_path / "a" / "0.tif", values)
    with pytest.raises(ValueError, match=sentence):
        from_folder(tmp_path, "train")


def test_what_is_transparent_becomes_white(tmp_path):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert from_folder(folder(tmp_path, a=[clear] * 9), "train").images.unique().tolist() == [255]


def test_with_a_size_the_middle_square_is_resized(tmp_path):
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, 4:12] = 255
    found = from_folder(folder(tmp_path, a=[Image.fromarray(wide), picture(20, 20)] * 5), "train", size=4)
    assert found.images.shape == (9, 3, 4, 4)
    assert found.images[0].min() > 230, "nothing of the black sides but a trace at the edge"


def test_a_photograph_stands_as_its_camera_was_held(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    upside = np.zeros((8, 8), np.uint8)
    upside[:4] = 255
    (tmp_path / "a").mkdir()
    for n in range(9):
        Image.fromarray(upside).save(tmp_path / "a" / f"{n}.png", exif=exif)
    assert from_folder(tmp_path, "train").images[0, 0, :, 0].tolist() == [0] * 4 + [255] * 4


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        (
            [picture(8, 8)] * 4 + [picture(9, 9)],
            r"pictures of one size, or --size be given.*, got 8×8 in .* and 9×9 in",
        ),
        ([picture(8, 6)] * 5, r"000.png must be square, or --size be given to crop and resize all, got 8×6"),
        ([picture()] * 5 + ["broken"], r"005.png is not a picture that can be read"),
        ([], r"the class a must have at least one picture"),
        ([picture()] * 5, r"data must have at least 10 pictures of a class, .*, got 5"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_sentence(tmp_path, pictures, sentence):
    folder(tmp_path, a=[each for each in pictures if isinstance(each, Image.Image)])
    if "broken" in pictures:
        (tmp_path / "a" / "005.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    with pytest.raises(ValueError, match=sentence) as error:
        from_folder(tmp_path, "test")
    assert "\n" not in str(error.value)
