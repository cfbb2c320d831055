"""Weights are compared with their network before any memory is taken for it, and refused where they are not finite."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from cfg_core.checkpoints.classifiers import ClassifierConfig, load_classifier
from cfg_core.checkpoints.format import CheckpointConfig, load_checkpoint, read_network, save_checkpoint
from cfg_core.checkpoints.guides import with_guide
from cfg_core.checkpoints.model_folder import CONFIG, WEIGHTS, CheckpointError
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.networks.noise_aware_classifier import NoiseAwareClassifierNetwork
from cfg_core.networks.unet import UNet, UNetConfig

NAMES = ("zero", "one")


def save_model(folder: Path) -> Callable[[], Any]:
    network = UNet(UNetConfig(1, 8, 2, widths=(16,), encoder=(1,), decoder=(1,)))
    config = CheckpointConfig(network.config, Schedule(), "v", "v", NAMES, "synthetic", "none", 0.1, 0, "")
    save_checkpoint(folder, config, network.state_dict())
    return lambda: load_checkpoint(folder)


def save_classifier(folder: Path) -> Callable[[], Any]:
    architecture = ClassifierArchitecture(1, 8, 2, widths=(16,), features=4)
    config = ClassifierConfig(architecture, NAMES, "synthetic", "none", 0.5, 0, "")
    save_checkpoint(folder, config, ClassifierNetwork(architecture).state_dict())
    return lambda: load_classifier(folder)


def save_guide(folder: Path) -> Callable[[], Any]:
    architecture = ClassifierArchitecture(1, 8, 2, widths=(16,), features=4)
    config = ClassifierConfig(architecture, NAMES, "synthetic", "none", 0.5, 0, "", Schedule())
    save_checkpoint(folder, config, NoiseAwareClassifierNetwork(architecture).state_dict())
    guided = save_model(folder.with_name("guided"))()
    return lambda: with_guide(guided, folder)


KINDS = pytest.mark.parametrize("save", [save_model, save_classifier, save_guide])


def enlarge(folder: Path, **architecture: Any) -> None:
    raw = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    raw["architecture"] |= architecture
    (folder / CONFIG).write_text(json.dumps(raw), encoding="utf-8")


@KINDS
def test_a_network_that_its_weights_do_not_fit_is_never_built_in_memory(
    save: Callable[[Path], Callable[[], Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = save(tmp_path / "small")
    allocated: list[int] = []
    empty = nn.Module._apply

    def recorded(module: nn.Module, *rest: Any, **options: Any) -> nn.Module:  # every network calls .to() when built
        allocated.append(sum(p.nbytes for p in module.parameters() if p.device.type != "meta"))
        return empty(module, *rest, **options)

    monkeypatch.setattr(nn.Module, "_apply", recorded)
    load()
    assert max(allocated) > 0
    allocated.clear()
    enlarge(tmp_path / "small", widths=[2048], num_classes=2)
    with pytest.raises(CheckpointError, match=r"model\.safetensors does not fit its config: .* must be floating point"):
        load()
    assert set(allocated) == {0}


def test_a_config_of_a_kilobyte_may_ask_for_gigabytes_without_getting_them(tmp_path: Path) -> None:
    save_model(tmp_path)
    levels = {"size": 64, "widths": [2048] * 6, "encoder": [16] * 6, "decoder": [16] * 6}
    enlarge(tmp_path, **levels)
    kinds = []

    def build(config: CheckpointConfig) -> UNet:
        network = UNet(config.architecture)
        kinds.append(network.out.weight.device.type)
        return network

    with pytest.raises(
        CheckpointError, match=r"does not fit its config: stem\.weight must be .* of shape \(2048, 4, 3, 3\)"
    ):
        read_network(tmp_path, CheckpointConfig.from_json, build)
    assert kinds == ["meta"]


@KINDS
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_refused(
    save: Callable[[Path], Callable[[], Any]], value: float, tmp_path: Path
) -> None:
    load = save(tmp_path / "spoilt")
    weights = load_file(tmp_path / "spoilt" / WEIGHTS)
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    weights[name].view(-1)[0] = value
    save_file(weights, tmp_path / "spoilt" / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"weights must be finite, got 1 of \d+ tensors that are not"):
        load()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: w.pop("out.bias"), "it lacks the tensor out.bias"),
        (lambda w: w.update(extra=torch.zeros(1)), "it has the tensor 'extra', which the network has not"),
        (lambda w: w.update({"\x1b" + "x" * 10**5: torch.zeros(1)}), r"it has the tensor '\\x1bxxx"),
        (lambda w: w.update({"out.bias": w["out.bias"].double()}), r"out\.bias must be floating point .*, got F64 of"),
        (lambda w: w.update({"out.bias": w["out.bias"].int()}), r"out\.bias must be floating point .*, got I32 of"),
        (lambda w: w.update({"out.bias": w["out.bias"][:1]}), r"of shape \(4,\), got F32 of shape \(1,\)"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(change: Callable[[Any], Any], sentence: str, tmp_path: Path) -> None:
    load = save_model(tmp_path)
    weights = {name: tensor.clone() for name, tensor in load_file(tmp_path / WEIGHTS).items()}
    change(weights)
    save_file(weights, tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match=sentence) as refused:
        load()
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_are_computed_with_in_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    load = save_model(tmp_path)
    save_file({name: t.to(dtype) for name, t in load_file(tmp_path / WEIGHTS).items()}, tmp_path / WEIGHTS)
    assert {p.dtype for p in load().denoiser.network.parameters()} == {torch.float32}


def test_a_guide_of_widths_that_it_cannot_have_is_refused(tmp_path: Path) -> None:
    load = save_guide(tmp_path / "guide")
    enlarge(tmp_path / "guide", widths=[8])
    with pytest.raises(CheckpointError, match="widths of a noise-aware classifier must be multiples of 16, got"):
        load()
