"""Folders of one's own pictures: which of their files count, and for what."""

import os
from pathlib import Path

import pytest

from cfg_core.data.datasets import load_dataset, load_splits
from cfg_core.data.folders import folder_name, from_folder
from tests.data.pictures import folder, picture


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


def test_a_folder_without_classes_is_named(tmp_path):
    with pytest.raises(ValueError, match="must have one folder of pictures a class, it has no folders"):
        load_dataset(str(tmp_path))


def shades(root: Path, split: str = "train") -> list[list[int]]:
    """Of each class the grey levels of its pictures, in order."""
    found = from_folder(root, split)
    return [found.images[found.labels == label, 0, 0, 0].tolist() for label in range(len(found.classes))]


def grey(*levels: int) -> list:
    return [picture(colour=(level, level, level), mode="L") for level in levels]


def test_hidden_files_and_folders_do_not_count_at_any_depth(tmp_path):
    folder(tmp_path, a=grey(*range(9)))
    for hidden in (".ipynb_checkpoints", ".cache/deeper", "more/.hidden"):
        folder(tmp_path / "a" / hidden, x=grey(200, 201))
        grey(202)[0].save(tmp_path / "a" / hidden / "y.png")
    grey(9)[0].save(tmp_path / "a" / "more" / "b.png")
    grey(203)[0].save(tmp_path / "a" / ".c.png")
    folder(tmp_path, **{".git": grey(204)})
    assert shades(tmp_path) == [list(range(9))]
    assert shades(tmp_path, "test") == [[9]]


def test_linked_pictures_folders_and_classes_count(tmp_path):
    root, other = folder(tmp_path / "root", a=grey(1, 2, 3)), folder(tmp_path / "other", more=grey(4, 5), b=grey(6, 7))
    (root / "a" / "more").symlink_to(other / "more")
    (root / "a" / "z.png").symlink_to(other / "b" / "000.png")
    (root / "b").symlink_to(other / "b")
    assert shades(root) == [[1, 2, 3, 4, 5, 6], [6, 7]]


def test_links_that_lead_in_a_circle_or_twice_to_one_folder_count_its_pictures_once(tmp_path):
    root, other = folder(tmp_path / "root", a=grey(1, 2)), folder(tmp_path / "other", more=grey(3))
    (root / "a" / "again").symlink_to(root / "a")
    (root / "a" / "up").symlink_to(root)
    (other / "more" / "back").symlink_to(root / "a")
    for link in ("one", "two"):
        (root / "a" / link).symlink_to(other / "more")
    assert shades(root) == [[1, 2, 3]]


def test_a_class_whose_name_is_not_utf_8_is_refused_before_its_pictures_are_read(tmp_path):
    root = folder(tmp_path, a=grey(*range(10)))
    os.mkdir(os.fsencode(root) + b"/caf\xe9")
    with pytest.raises(ValueError, match=r"the name of a class must be valid UTF-8, got 'caf\\udce9'"):
        load_dataset(str(root))


def test_a_folder_whose_own_name_is_not_utf_8_is_refused(tmp_path):
    root = folder(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")), a=grey(*range(10)))
    with pytest.raises(ValueError, match=r"data must be valid UTF-8, got 'caf\\udce9'"):
        load_dataset(str(root))


@pytest.mark.parametrize("way", ["{}", "{}/", "{}/.", "{}/a/..", "."])
def test_a_data_set_has_the_own_name_of_its_folder_however_it_is_given(way, tmp_path, monkeypatch):
    root = folder(tmp_path / "pics", a=grey(*range(10)))
    monkeypatch.chdir(root)
    assert load_dataset(way.format(root)).name == folder_name(way.format(root)) == "pics"
