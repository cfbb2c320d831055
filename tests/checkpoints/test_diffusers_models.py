"""Folders and Hub repositories of diffusers' pipelines: what loads, and one sentence for what does not."""

import builtins
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import CheckpointError
from cfg_core.serving.registry import load_model
from tests.checkpoints.diffusers_pipelines import diffusers, drawn, loaded
from tests.fake_hub import serving, switch_off

SPACES = Path(__file__).parents[2] / "docs" / "spaces.md"


def test_a_model_is_described_without_diffusers(dit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda name, *rest: _missing() if name == "diffusers" else real(name, *rest)
    )
    info = describe_model(dit)
    assert info.config.classes[207] == "thing 207"
    assert info.config.about == "DiTTransformer2DModel · 1,000 classes"
    with pytest.raises(CheckpointError, match="is a model of diffusers, which is not installed: python"):
        load_model(info, torch.device("cpu"))


def _missing() -> None:
    raise ImportError("no module named diffusers")


def remove(folder: Path, *parts: str) -> None:
    folder.joinpath(*parts).unlink()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: remove(f, "transformer", "config.json"), "is not a whole pipeline of diffusers"),
        (lambda f: (f / "model_index.json").write_text("{", encoding="utf-8"), "is not a whole pipeline of diffusers"),
        (
            lambda f: (f / "model_index.json").write_text("[]", encoding="utf-8"),
            r"is not a whole pipeline of diffusers: model_index\.json must hold an object, got \[\]$",
        ),
        (
            lambda f: (f / "model_index.json").write_text('{"unet": {}}', encoding="utf-8"),
            "must be a pipeline of DiT.*, got None$",
        ),
        (
            lambda f: (f / "transformer" / "config.json").write_text("7", encoding="utf-8"),
            r"is not a whole pipeline of diffusers: config\.json must hold an object, got 7$",
        ),
        (
            lambda f: (f / "model_index.json").write_text(
                '{"transformer": ["diffusers", "DiTTransformer2DModel"], "id2label": ["tench"]}', encoding="utf-8"
            ),
            r"id2label must be an object, got \['tench'\]$",
        ),
        (
            lambda f: (f / "model_index.json").write_text('{"_class_name": "OtherPipeline"}', encoding="utf-8"),
            "must be a pipeline of DiTTransformer2DModel or UNet2DModel, got 'OtherPipeline'",
        ),
        (
            lambda f: (f / "vae" / "diffusion_pytorch_model.safetensors").rename(f / "vae" / "weights.bin"),
            "must have vae/.*safetensors; pickled weights are never read",
        ),
    ],
)
def test_a_damaged_folder_is_refused_with_one_sentence(dit: Path, tmp_path: Path, damage: Any, sentence: str) -> None:
    folder = shutil.copytree(dit, tmp_path / "dit")
    damage(folder)
    with pytest.raises(CheckpointError, match=sentence) as refused:
        describe_model(folder)
    assert "\n" not in str(refused.value)


def test_pickled_weights_load_once_converted_as_the_documentation_describes(
    dit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = re.search(
        r"^\.venv/bin/python -c '(from diffusers.+)'\ncp (\S+) (\S+)$", SPACES.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert recipe is not None
    monkeypatch.chdir(tmp_path)
    diffusers.DiTPipeline.from_pretrained(dit).save_pretrained("dit-pickled", safe_serialization=False)
    shutil.copy(dit / "model_index.json", "dit-pickled")
    with pytest.raises(CheckpointError, match=r"safetensors; pickled weights are never read, docs/spaces\.md"):
        describe_model("dit-pickled")
    exec(recipe[1])
    shutil.copy(recipe[2], recipe[3])
    converted = describe_model(recipe[3])
    assert converted.config.classes[207] == "thing 207"
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    ours, theirs = (drawn(loaded(f), z, [207], 1.0, sampler="ddim", steps=3) for f in (Path(recipe[3]), dit))
    assert torch.equal(ours, theirs)


def test_weights_that_do_not_fit_are_refused_with_one_sentence(dit: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(dit, tmp_path / "dit")
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(CheckpointError, match="cannot be loaded") as refused:
        loaded(folder)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("remote", [True, False])
def test_a_model_is_drawn_on_the_remote_gpu_where_there_is_one(unet: Path, remote: bool) -> None:
    assert load_model(describe_model(unet), torch.device("cpu"), remote=remote).remote is remote


def test_a_model_is_loaded_from_the_hub_by_its_name(dit: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(monkeypatch, tmp_path / "cache") as hub:
        files = {str(path.relative_to(dit)): path.read_bytes() for path in dit.rglob("*") if path.is_file()}
        hub.files["models/someone/dit"] = {**files, "transformer/pickle.bin": b"\x80"}
        info = describe_model("someone/dit")
        assert info.hash == describe_model(dit).hash
        assert not any(path.endswith("pickle.bin") for _, path in hub.calls)
        switch_off(monkeypatch)
        assert describe_model("someone/dit") == info, "without a network it is had from the cache"
        with pytest.raises(CheckpointError, match=r"'someone/other' is .*: the Hub cannot be reached from"):
            describe_model("someone/other")


def test_a_revision_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(monkeypatch, tmp_path / "cache") as hub:
        hub.fault["/revision/"] = "RevisionNotFound"
        with pytest.raises(CheckpointError) as refused:
            describe_model("someone/dit@refs/pr/9")
    what = "checkpoint 'someone/dit@refs/pr/9' is no folder here and could not be fetched from the Hub"
    assert str(refused.value) == f"{what}: it has no revision refs/pr/9"
