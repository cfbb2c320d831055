"""A person's own pictures: whatever they are, they come out alike, or one sentence says why not."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cfg_core.commands.data import main
from cfg_core.data.datasets import load_dataset, load_splits
from cfg_core.data.image_files import from_folder, from_parquet
from tests.fake_hub import point_at, serving


def picture(width=8, height=8, colour=(200, 40, 40), mode="RGB"):
    return Image.new("RGB", (width, height), colour).convert(mode)


def folder(root: Path, **classes: list[Image.Image]) -> Path:
    for name, pictures in classes.items():
        (root / name).mkdir(parents=True)
        for n, each in enumerate(pictures):
            each.save(root / name / f"{n:03}.png")
    return root


def test_one_folder_a_class_in_the_order_of_their_names(tmp_path):
    found = from_folder(folder(tmp_path, dog=[picture()] * 20, cat=[picture(colour=(0, 0, 255))] * 10), "train")
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0] * 9 + [1] * 18
    assert found.images.shape == (27, 3, 8, 8)
    assert found.images[0, :, 0, 0].tolist() == [0, 0, 255]


def test_every_tenth_picture_of_a_class_is_held_out_and_nobody_trains_on_it(tmp_path):
    shades = [picture(colour=(n, n, n), mode="L") for n in range(20)]
    root = folder(tmp_path, a=shades, b=shades[:10])
    training, test = load_splits(str(root))
    assert training.images[:, 0, 0, 0].tolist() == [*range(9), *range(10, 19), *range(9)]
    assert test.images[:, 0, 0, 0].tolist() == [9, 19, 9]


def test_folders_that_are_divided_already_stay_so(tmp_path):
    folder(tmp_path / "train", a=[picture()] * 3)
    folder(tmp_path / "test", a=[picture()] * 2)
    training, test = load_splits(str(tmp_path))
    assert (len(training.labels), len(test.labels)) == (3, 2)
    (tmp_path / "test" / "b").mkdir()
    picture().save(tmp_path / "test" / "b" / "0.png")
    with pytest.raises(ValueError, match="the test pictures must have the classes a, got a, b"):
        load_splits(str(tmp_path))


@pytest.mark.parametrize("name", ["test", "val", "valid", "validation", "Val"])
def test_the_folder_beside_train_may_have_any_of_its_usual_names(tmp_path, name):
    folder(tmp_path / "train", a=[picture()] * 3, b=[picture()])
    folder(tmp_path / name, a=[picture()] * 2, b=[picture()])
    training, test = load_splits(str(tmp_path))
    assert training.classes == test.classes == ("a", "b")
    assert (training.labels.tolist(), test.labels.tolist()) == ([0, 0, 0, 1], [0, 0, 1])


def test_of_test_and_val_test_is_for_tests_and_val_is_left(tmp_path):
    for name, count in (("train", 3), ("val", 2), ("test", 1)):
        folder(tmp_path / name, a=[picture()] * count)
    assert [len(each.labels) for each in load_splits(str(tmp_path))] == [3, 1]


@pytest.mark.parametrize(
    ("parts", "got"),
    [(("train",), "train"), (("val",), "val"), (("val", "test"), "test, val"), (("train", "more"), "train")],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_half_of_a_division_is_not_taken_for_classes(tmp_path, parts, got, split):
    for part in parts:
        folder(tmp_path / part, a=[picture()] * 10)
    sentence = f"must have train and one of test, val, valid, validation, or one folder of .* a class, got only {got}$"
    with pytest.raises(ValueError, match=sentence):
        load_dataset(str(tmp_path), split)


def test_train_and_val_without_classes_are_not_taken_for_classes(tmp_path):
    folder(tmp_path, train=[picture()] * 10, val=[picture()] * 10)
    with pytest.raises(ValueError, match="train must have one folder of pictures a class, it has no folders"):
        load_dataset(str(tmp_path))


def test_a_class_may_be_called_train(tmp_path):
    found = load_dataset(str(folder(tmp_path, bus=[picture()] * 10, train=[picture()] * 10)))
    assert found.classes == ("bus", "train")


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


def test_a_folder_without_classes_is_named(tmp_path):
    with pytest.raises(ValueError, match="must have one folder of pictures a class, it has no folders"):
        load_dataset(str(tmp_path))


def encoded(image: Image.Image) -> dict[str, object]:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


def parquet(path: Path, features: dict[str, object] | None = None, **columns: list) -> Path:
    count = len(next(iter(columns.values())))
    table = pa.table({"photo": [encoded(picture())] * count, **columns})
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)
    return path


def test_the_label_column_is_the_one_the_hub_says_it_is(tmp_path):
    features = {"kind": {"_type": "ClassLabel", "names": ["tulip", "rose"]}}
    found = from_parquet([parquet(tmp_path / "a.parquet", features, year=[1999, 2000], kind=[1, 0])])
    assert found.classes == ("tulip", "rose")
    assert found.labels.tolist() == [1, 0]


def test_labels_that_are_words_are_classes(tmp_path):
    found = from_parquet([parquet(tmp_path / "a.parquet", species=["b", "a", "b"])])
    assert found.classes == ("a", "b")
    assert found.labels.tolist() == [1, 0, 1]


def test_of_several_label_columns_one_must_be_named(tmp_path):
    path = parquet(tmp_path / "a.parquet", fine=[0, 1], coarse=[5, 5])
    assert from_parquet([path], label="coarse").classes == ("5",)
    with pytest.raises(ValueError, match="must be one of fine, coarse, which one is not said"):
        from_parquet([path])
    with pytest.raises(ValueError, match="must be one of fine, coarse, got colour"):
        from_parquet([path], label="colour")


def test_a_label_without_a_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match="labels must be whole numbers from 0 to 1, got 2"):
        from_parquet([parquet(tmp_path / "a.parquet", label=[0, 2])], classes=("a", "b"))


def test_a_picture_without_label_and_a_table_without_pictures_are_named(tmp_path):
    with pytest.raises(ValueError, match="a label for every picture, 1 have none"):
        from_parquet([parquet(tmp_path / "a.parquet", label=[0, None])])
    pq.write_table(pa.table({"label": [0]}), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match="must have a column of pictures, got the columns label"):
        from_parquet([tmp_path / "b.parquet"])


def test_the_command_counts_what_is_there(tmp_path, capsys):
    main([str(folder(tmp_path, cat=[picture()] * 20, dog=[picture()] * 10)), "--size", "16"])
    told = capsys.readouterr().out
    assert "2 classes, 16×16, colour" in told
    cells = next([cell.strip() for cell in line.split("│")] for line in told.splitlines() if "│ cat" in line)
    assert cells[1:4] == ["cat", "18", "2"]


def test_the_command_refuses_in_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "nowhere")])
    assert ended.value.code == 2
    assert "data must be one of fashion_mnist, cifar10, synthetic, a folder with" in capsys.readouterr().err


# ---- any data set on the Hub ----


@pytest.fixture
def there(monkeypatch, tmp_path):
    with serving(monkeypatch, tmp_path / "cache") as there:
        yield there


def on_hub(there, tmp_path, **files):
    """A data set: path → its labels."""
    content = {path: parquet(tmp_path / "one.parquet", label=labels).read_bytes() for path, labels in files.items()}
    there.files["datasets/someone/flowers"] = {"README.md": b"", **content}


def test_a_data_set_of_the_hub_is_had_by_its_name(there, tmp_path):
    on_hub(there, tmp_path, **{"data/train-00000-of-00001.parquet": [0, 1], "data/test-00000-of-00001.parquet": [1, 0]})
    training, test = load_splits("someone/flowers")
    assert (training.labels.tolist(), test.labels.tolist()) == ([0, 1], [1, 0])


def test_without_a_test_split_pictures_are_held_out(there, tmp_path):
    on_hub(there, tmp_path, **{"data/train-00000-of-00001.parquet": [0] * 20})
    training, test = load_splits("someone/flowers:label")
    assert (len(training.labels), len(test.labels)) == (18, 2)


def test_of_several_configurations_none_is_guessed(there, tmp_path):
    on_hub(there, tmp_path, **{"small/train-0.parquet": [0], "large/train-0.parquet": [0]})
    with pytest.raises(ValueError, match="someone/flowers must have one configuration, got large, small"):
        load_dataset("someone/flowers")


@pytest.mark.parametrize("fault", [401, 404, 500])
def test_a_data_set_that_cannot_be_had_is_one_sentence(there, tmp_path, fault):
    on_hub(there, tmp_path, **{"data/train-0.parquet": [0]})
    there.fault["/api/datasets"] = fault
    with pytest.raises(OSError, match="data: someone/flowers could not be had from the Hub") as error:
        load_dataset("someone/flowers")
    assert "\n" not in str(error.value)


def test_a_data_set_of_the_hub_without_a_network_is_one_sentence(monkeypatch):
    point_at("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(OSError, match="data: someone/flowers could not be had from the Hub") as error:
        load_dataset("someone/flowers")
    assert "\n" not in str(error.value)
