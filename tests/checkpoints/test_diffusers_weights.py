"""Only safetensors of a pipeline's own folder are ever read, and only where they fit a config of bounded size."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.model_folder import CheckpointError

pytest.importorskip("diffusers", reason="diffusers is not installed")
from tests.checkpoints.diffusers_pipelines import diffusers, drawn, loaded
from tests.checkpoints.tiny_pipelines import save_dit, save_unet

INDEX = "diffusion_pytorch_model.safetensors.index.json"
WEIGHTS = "diffusion_pytorch_model.safetensors"


def sharded(folder: Path, variant: str | None = None) -> Path:
    """The folder of the network of a UNet2D, its weights divided into several files."""
    network = diffusers.UNet2DModel.from_pretrained(folder, subfolder="unet")
    shutil.rmtree(folder / "unet")
    network.save_pretrained(folder / "unet", max_shard_size="20KB", variant=variant)
    return folder / "unet"


def images(folder: Path) -> torch.Tensor:
    z = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return drawn(loaded(folder), z, [0, 1], 1.0, sampler="ddim", steps=2)


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_weights_in_several_files_draw_what_those_in_one_draw(tmp_path: Path, variant: str | None) -> None:
    expected = images(save_unet(tmp_path))
    assert len(list(sharded(tmp_path, variant).glob("*.safetensors"))) > 1
    assert torch.equal(images(tmp_path), expected)


@pytest.mark.parametrize(
    "name",
    [
        "diffusion_pytorch_model-00001-of-00002.bin",
        "../../elsewhere/diffusion_pytorch_model-00001-of-00002.safetensors",
        "/etc/passwd",
        "sub/diffusion_pytorch_model-00001-of-00002.safetensors",
        "..\\diffusion_pytorch_model-00001-of-00002.safetensors",
        "diffusion_pytorch_model-00001-of-00002.safetensors\n",
        "",
        7,
        None,
    ],
)
@pytest.mark.parametrize("index", [INDEX, "diffusion_pytorch_model.safetensors.index.fp16.json"])
def test_an_index_that_names_anything_but_safetensors_of_its_folder_is_refused(
    tmp_path: Path, index: str, name: Any
) -> None:
    save_unet(tmp_path)
    (tmp_path / "unet" / index).write_text(json.dumps({"metadata": {}, "weight_map": {"x": name}}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=rf"unet/{index} must name files of its own folder such as .*, got"):
        describe_model(tmp_path)


def test_an_index_that_names_a_pickle_is_not_opened_when_it_comes_after_the_description(tmp_path: Path) -> None:
    info = describe_model(save_unet(tmp_path))
    (tmp_path / "unet" / INDEX).write_text('{"metadata": {}, "weight_map": {"x": "x.bin"}}', encoding="utf-8")
    torch.save({"x": torch.zeros(1)}, tmp_path / "unet" / "x.bin")
    with pytest.raises(CheckpointError, match="must name files of its own folder"):
        loaded(Path(info.where))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "is nested too deeply"),
        ("[]", "must hold an object"),
        ("{}", "weight_map of .* must be an object, got None"),
        ('{"weight_map": ["a"]}', "weight_map of .* must be an object"),
        (
            '{"weight_map": {"x": "diffusion_pytorch_model-00009-of-00009.safetensors"}}',
            r"has no unet/diffusion_pytorch_model-00009-of-00009\.safetensors",
        ),
    ],
)
def test_an_index_that_cannot_be_used_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    save_unet(tmp_path)
    (tmp_path / "unet" / INDEX).write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=sentence) as refused:
        describe_model(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_pickle_under_the_name_of_safetensors_is_not_unpickled(tmp_path: Path) -> None:
    save_unet(tmp_path)
    torch.save({"x": torch.zeros(1)}, tmp_path / "unet" / WEIGHTS)
    with pytest.raises(CheckpointError, match="is cut off or not a safetensors file"):
        loaded(tmp_path)


@pytest.mark.parametrize("kind", ["link", "folder", "dangling"])
def test_weights_that_are_no_file_of_the_folder_are_refused(tmp_path: Path, kind: str) -> None:
    path = save_unet(tmp_path / "model") / "unet" / WEIGHTS
    shutil.move(path, tmp_path / WEIGHTS)
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / (WEIGHTS if kind == "link" else "absent"))
    with pytest.raises(CheckpointError, match=r"must lie in that folder|is no file|leads nowhere") as refused:
        describe_model(tmp_path / "model")
    assert "\n" not in str(refused.value)


def configure(folder: Path, part: str, **changes: Any) -> Path:
    path = folder / part / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("part", "changes", "sentence"),
    [
        ("transformer", {"num_layers": 10**9}, "num_layers must be a whole number from 1 to 256, got 1000000000"),
        ("vae", {"layers_per_block": 10**6}, "layers_per_block must be a whole number from 1 to 32"),
        ("vae", {"down_block_types": ["DownEncoderBlock2D"] * 1000}, "down_block_types must have at most 16 entries"),
        ("transformer", {"quantization_config": {"quant_method": "x"}}, "quantization_config must be left out"),
    ],
)
def test_a_config_of_a_network_of_too_many_modules_is_refused(
    tmp_path: Path, part: str, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        describe_model(configure(save_dit(tmp_path), part, **changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"attention_head_dim": 4096}, "cannot be loaded: .* must be floating point of shape"),
        ({"num_layers": 3}, "cannot be loaded: the weights of transformer lack the tensor transformer_blocks.1"),
        (
            {"sample_size": 4096, "attention_head_dim": 64},
            "cannot be loaded: numbers in the buffers of the .* must",
        ),
    ],
)
def test_a_config_that_asks_for_more_than_its_weights_have_is_refused(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence) as refused:
        loaded(configure(save_dit(tmp_path), "transformer", **changes))
    assert "\n" not in str(refused.value)


def spoil(path: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    weights = {name: tensor.clone() for name, tensor in load_file(path).items()}
    change(weights)
    save_file(weights, path, {"format": "pt"})


@pytest.mark.parametrize("part", ["transformer", "vae"])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, part: str) -> None:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights[min(weights)].view(-1)[0] = torch.nan

    spoil(save_dit(tmp_path) / part / WEIGHTS, change)
    with pytest.raises(CheckpointError, match=r"weights must be finite, got 1 of \d+ tensors that are not"):
        loaded(tmp_path)


def test_weights_that_lack_a_tensor_are_refused(tmp_path: Path) -> None:
    spoil(save_dit(tmp_path) / "transformer" / WEIGHTS, lambda weights: weights.pop("proj_out_2.bias"))
    with pytest.raises(CheckpointError, match=r"the weights of transformer lack the tensor proj_out_2\.bias"):
        loaded(tmp_path)


def test_an_autoencoder_whose_tensors_have_their_older_names_is_read(tmp_path: Path) -> None:
    info = describe_model(save_dit(tmp_path))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = loaded(tmp_path).denoiser.pictures(z)

    def rename(weights: dict[str, torch.Tensor]) -> None:
        older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
        for name in [name for name in weights if "attentions" in name]:
            for new, old in older.items():
                if f".{new}." in name:
                    weights[name.replace(f".{new}.", f".{old}.")] = weights.pop(name)

    spoil(tmp_path / "vae" / WEIGHTS, rename)
    assert describe_model(tmp_path).hash != info.hash
    assert torch.equal(loaded(tmp_path).denoiser.pictures(z), expected)
