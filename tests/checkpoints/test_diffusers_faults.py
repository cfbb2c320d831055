"""Pipelines as they are found: saved as a variant, conditional on a picture, with odd names, too hot for float16."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.diffusers_models import load_pipeline
from cfg_core.checkpoints.format import CheckpointError, LoadedModel
from cfg_core.devices import DEVICE_PRECISION

pytest.importorskip("diffusers", reason="diffusers is not installed")
from tests.checkpoints.tiny_pipelines import save_dit, save_unet


def load(folder: Path) -> LoadedModel:
    info = describe_model(folder)
    return load_pipeline(Path(info.where), info.config, info.hash, torch.device("cpu"))  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", ["fp16", "ema"])
def test_weights_that_were_saved_as_a_variant_are_read(tmp_path: Path, variant: str) -> None:
    plain, saved = save_unet(tmp_path / "plain"), save_unet(tmp_path / variant, variant)
    assert [path.name for path in (saved / "unet").glob("*.safetensors")] == [
        f"diffusion_pytorch_model.{variant}.safetensors"
    ]
    z, log_snr, labels = torch.ones(2, 3, 8, 8), torch.zeros(2, dtype=torch.float64), torch.tensor([0, 1])
    ours, theirs = (load(folder).denoiser(z, log_snr, labels).eps for folder in (saved, plain))
    assert torch.equal(ours, theirs)


def test_weights_under_a_name_that_diffusers_does_not_read_are_refused(tmp_path: Path) -> None:
    folder = save_unet(tmp_path / "odd")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").rename(folder / "unet" / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"must have unet/diffusion_pytorch_model\.s.*, got model\.saf"):
        describe_model(folder)


def test_a_network_that_is_given_a_picture_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="out_channels must be at least in_channels, got 3 and 6") as refused:
        describe_model(save_unet(tmp_path / "conditional", in_channels=6))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"0": "[red]", "1": "", "2": "tench,  Tinca\ntinca"}, ("[red]", "1", "tench")),
        ({"0": None, "1": 7, "2": " a\n b "}, ("None", "7", "a b")),
    ],
)
def test_odd_names_of_classes_become_one_line_each(tmp_path: Path, names: Any, expected: tuple[str, ...]) -> None:
    assert describe_model(with_names(save_unet(tmp_path / "names"), names)).config.classes == expected


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a"], r"id2label must be an object, got \['a'\]"),
        ({"0": "caf\udce9"}, "id2label must be valid UTF-8, got 'caf"),
    ],
)
def test_names_that_cannot_be_shown_are_refused(tmp_path: Path, names: Any, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        describe_model(with_names(save_unet(tmp_path / "names"), names))


def with_names(folder: Path, names: Any) -> Path:
    index = folder / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text(encoding="utf-8")), "id2label": names}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("unet/config.json", "[" * 100_000, "is not a whole pipeline of diffusers: config.json is nested too deeply"),
        ("unet/config.json", '{"sample_size": [8, 8]}', r"sample_size must be a whole number .*, got \[8, 8\]"),
        (
            "scheduler/scheduler_config.json",
            '{"steps_offset": -1}',
            "its scheduler's steps_offset must be a whole number",
        ),
        ("scheduler/scheduler_config.json", '{"trained_betas": "x"}', "its scheduler's "),
    ],
)
def test_odd_configs_are_one_sentence(tmp_path: Path, file: str, content: str, sentence: str) -> None:
    folder = save_unet(tmp_path / "odd")
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=sentence) as refused:
        describe_model(folder)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("force_upcast", [True, False])
def test_a_decoder_that_passes_the_range_of_float16_decodes_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force_upcast: bool
) -> None:
    """Activations beyond 65,504 are infinite in float16, and NaN after the norm that follows them."""
    folder = save_dit(tmp_path / "hot", hot=3e5, force_upcast=force_upcast)
    latents = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    exact = load(folder).denoiser.pictures(latents)
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float16)
    denoiser = load(folder).denoiser
    assert denoiser._vae.dtype == (torch.float32 if force_upcast else torch.float16)
    if not force_upcast:
        assert not denoiser._decoded(latents).isfinite().all(), "else this tests nothing"
    assert torch.allclose(denoiser.pictures(latents), exact, atol=0.05)
