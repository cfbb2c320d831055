import pytest

from cfg_core.data.datasets import load_dataset, load_splits
from tests.data.pictures import parquet
from tests.fake_hub import point_at, serving


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
    with pytest.raises(OSError, match="data: someone/flowers could not be fetched from the Hub") as error:
        load_dataset("someone/flowers")
    assert "\n" not in str(error.value)


def test_a_data_set_of_the_hub_without_a_network_is_one_sentence(monkeypatch):
    point_at("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(OSError, match="data: someone/flowers could not be fetched from the Hub") as error:
        load_dataset("someone/flowers")
    assert "\n" not in str(error.value)
