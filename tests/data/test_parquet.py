import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cfg_core.data.parquet import from_parquet
from tests.data.pictures import parquet


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
    with pytest.raises(ValueError, match="must be one of fine, coarse, none is chosen"):
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


def test_a_table_without_rows_is_refused(tmp_path):
    path = parquet(tmp_path / "a.parquet", label=[0])
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(ValueError, match="data must have at least one picture, got none"):
        from_parquet([path])
