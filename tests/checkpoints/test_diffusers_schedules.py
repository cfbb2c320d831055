"""The noise schedule, clipping and timesteps of a pipeline of diffusers' are those that its scheduler's config sets."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.diffusers_schedules import BETAS, PREDICTIONS
from cfg_core.checkpoints.format import CheckpointError
from cfg_core.devices import DEVICE_PRECISION
from cfg_core.diffusion.schedule import DiscreteSchedule
from cfg_core.diffusion.spacings import SPACINGS
from cfg_core.sampling.loop import begin
from tests.checkpoints.diffusers_pipelines import STEPS, diffusers, loaded, ours_and_theirs, with_scheduler


def drop_optional_settings(folder: Path) -> None:
    """Leave of a scheduler's config what has no default value."""
    path = folder / "scheduler" / "scheduler_config.json"
    config_file = json.loads(path.read_text(encoding="utf-8"))
    needed = ("_class_name", "num_train_timesteps", "beta_start", "beta_end", "beta_schedule")
    path.write_text(json.dumps({name: config_file[name] for name in needed}), encoding="utf-8")


@pytest.mark.parametrize(
    "settings",
    [
        *({"prediction_type": kind, "clip_sample": clip} for kind in PREDICTIONS for clip in (False, True)),
        *({"beta_schedule": table, "clip_sample": True} for table in BETAS),
        {"beta_schedule": "squaredcos_cap_v2", "clip_sample": False},
        {"clip_sample": True, "clip_sample_range": 2.5},
    ],
    ids=lambda settings: " ".join(map(str, settings.values())),
)
def test_it_draws_what_diffusers_draws_under_every_scheduler_setting(
    unet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """In float64: clipped and untrained, a network makes 1e-4 of float32's rounding, in diffusers' loop as in ours."""
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float64)
    assert torch.allclose(*ours_and_theirs(with_scheduler(unet, tmp_path, **settings), torch.float64), atol=1e-5)


@pytest.mark.parametrize(
    "settings", [{"steps_offset": 1}, {"trained_betas": [0.0005 * n for n in range(1, 201)]}], ids=["offset", "betas"]
)
def test_an_offset_and_trained_betas_are_taken_from_the_scheduler(
    unet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float64)
    assert torch.allclose(*ours_and_theirs(with_scheduler(unet, tmp_path, **settings), torch.float64), atol=1e-5)


def test_settings_absent_from_a_config_have_diffusers_defaults(
    unet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float64)
    folder = with_scheduler(unet, tmp_path, _class_name="DDIMScheduler")
    drop_optional_settings(folder)
    assert torch.allclose(*ours_and_theirs(folder, torch.float64), atol=1e-5)
    assert loaded(folder).denoiser.clip == 1.0


def test_a_scheduler_without_a_clipping_setting_does_not_clip(unet: Path, tmp_path: Path) -> None:
    folder = with_scheduler(unet, tmp_path, _class_name="DPMSolverMultistepScheduler")
    drop_optional_settings(folder)
    assert loaded(folder).denoiser.clip is None


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_the_timesteps_are_those_of_its_scheduler(unet: Path, tmp_path: Path, spacing: str) -> None:
    folder = with_scheduler(unet, tmp_path, timestep_spacing=spacing)
    scheduler = diffusers.DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(STEPS)
    denoiser = loaded(folder).denoiser
    job = begin(denoiser, lambda step: torch.zeros(1, 3, 8, 8), torch.tensor([0]), torch.ones(1), steps=STEPS)
    assert denoiser.schedule.timestep(job.state.log_snrs).tolist() == scheduler.timesteps.tolist()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"thresholding": True}, "thresholding must be False, since no rule here rescales x .*, got True"),
        ({"rescale_betas_zero_snr": True}, "rescale_betas_zero_snr must be False, since λ must be finite .*, got True"),
        ({"set_alpha_to_one": False}, "set_alpha_to_one must be True, since every sampler here ends .*, got False"),
        ({"beta_schedule": "sigmoid"}, "beta_schedule must be one of linear, .*, squaredcos_cap_v2, got 'sigmoid'"),
        ({"prediction_type": "flow"}, "prediction_type must be one of epsilon, v_prediction, sample, got 'flow'"),
        ({"timestep_spacing": "other"}, "timestep_spacing must be one of leading, trailing, linspace, got 'other'"),
        ({"clip_sample_range": None}, "clip_sample_range must be a number from 0 to 1000000, got None"),
        ({"beta_end": "high"}, "beta_end must be a number from 0 to 1, got 'high'"),
        ({"trained_betas": [0.5, 1.0]}, "betas must lie between 0 and 1, got 0.5 to 1"),
    ],
    ids=str,
)
def test_an_unsupported_scheduler_setting_is_refused_by_its_name(
    unet: Path, tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=f"its scheduler's {sentence}$") as refused:
        describe_model(with_scheduler(unet, tmp_path, **settings))
    assert "\n" not in str(refused.value)


def test_more_steps_than_timesteps_are_refused() -> None:
    with pytest.raises(ValueError, match="steps must be at most the model's 5 timesteps, got 6"):
        SPACINGS["leading"](DiscreteSchedule([0.1] * 5), 6)
