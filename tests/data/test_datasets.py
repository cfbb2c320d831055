import io
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from huggingface_hub.errors import OfflineModeIsEnabled
from PIL import Image

from cfg_core.data.datasets import SOURCES, load_dataset, synthetic


def png(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


def write(root, name, pictures, labels):
    source = SOURCES[name]
    folder = root / name / source.folder
    folder.mkdir(parents=True)
    table = pa.table({"img": [png(p) for p in pictures], "label": labels})
    pq.write_table(table, folder / "train-00000-of-00001.parquet")


@pytest.mark.parametrize(("name", "shape"), [("fashion_mnist", (28, 28)), ("cifar10", (32, 32, 3))])
def test_a_folder_in_the_hub_layout_is_read_as_it_is(tmp_path, name, shape):
    pictures = np.random.default_rng(0).integers(0, 256, (5, *shape), np.uint8)
    write(tmp_path, name, pictures, [3, 1, 4, 1, 5])
    loaded = load_dataset(name, "train", tmp_path)
    assert np.array_equal(loaded.images.permute(0, 2, 3, 1).numpy().reshape(pictures.shape), pictures)
    assert loaded.labels.tolist() == [3, 1, 4, 1, 5]
    assert len(loaded.classes) == 10


def test_the_folder_may_come_from_the_environment(tmp_path, monkeypatch):
    write(tmp_path, "fashion_mnist", np.zeros((1, 28, 28), np.uint8), [0])
    monkeypatch.setenv("GUIDANCE_LAB_DATA", str(tmp_path))
    assert len(load_dataset("fashion_mnist").labels) == 1


def test_without_a_folder_the_hub_is_asked(tmp_path, monkeypatch):
    def download(repository, file, repo_type):
        assert (repository, repo_type) == ("zalando-datasets/fashion_mnist", "dataset")
        return str(tmp_path / "elsewhere" / "fashion_mnist" / file)

    write(tmp_path / "elsewhere", "fashion_mnist", np.zeros((2, 28, 28), np.uint8), [0, 1])
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert len(load_dataset("fashion_mnist", root=tmp_path).labels) == 2


def test_data_that_is_nowhere_is_one_sentence(tmp_path, monkeypatch):
    def download(*_, **__):
        raise OfflineModeIsEnabled("offline mode is enabled")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(OSError, match="could not be fetched from the Hub"):
        load_dataset("cifar10", root=tmp_path)


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    path = tmp_path / "fashion_mnist" / "fashion_mnist" / "train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    path.write_text("not parquet", encoding="utf-8")
    with pytest.raises(ValueError, match="not a parquet file that can be read"):
        load_dataset("fashion_mnist", root=tmp_path)


def test_a_broken_picture_is_refused(tmp_path):
    folder = tmp_path / "fashion_mnist" / "fashion_mnist"
    folder.mkdir(parents=True)
    table = pa.table({"image": [{"bytes": b"no picture", "path": None}], "label": [0]})
    pq.write_table(table, folder / "train-00000-of-00001.parquet")
    with pytest.raises(ValueError, match=r"the picture in row 0 of .* is not a picture that can be read"):
        load_dataset("fashion_mnist", root=tmp_path)


@pytest.mark.parametrize(("name", "split"), [("mnist", "train"), ("synthetic", "validation"), (7, "train")])
def test_unknown_names_are_refused(name, split):
    with pytest.raises(ValueError, match="must be one of"):
        load_dataset(name, split)


def test_the_synthetic_set_is_the_same_everywhere():
    first, second = synthetic(), synthetic()
    assert torch.equal(first.images, second.images)
    assert first.images.shape == (2048, 1, 16, 16)
    assert first.labels.bincount().tolist() == [512] * 4
    assert not torch.equal(first.images[:512], synthetic("test").images)


def test_a_fingerprint_tells_apart_whatever_training_would_notice_and_nothing_else():
    dataset = synthetic()
    images, labels = dataset.images.clone(), dataset.labels.clone()
    images[7, 0, 3, 3] += 1
    labels[7] = 0
    others = [{"images": images}, {"labels": labels}, {"classes": ("a", "b", "c", "d")}, {"mirror": True}]
    found = {replace(dataset, **changes).fingerprint for changes in ({}, *others)}
    assert len(found) == 5
    assert replace(dataset, name="elsewhere", licence="another").fingerprint == synthetic().fingerprint in found
