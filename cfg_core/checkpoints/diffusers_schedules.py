"""The config of a diffusers scheduler: noise levels from its betas, the spacing of its timesteps, its clipping of x.

A setting that our samplers would not follow is refused by its name.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cfg_core.checks import choice, number, shown
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import DiscreteSchedule

SPACINGS = {"leading": "leading", "trailing": "trailing", "linspace": "uniform"}
"""What diffusers calls a spacing → what it is called here."""


PREDICTIONS = {"epsilon": Prediction.from_eps, "v_prediction": Prediction.from_v, "sample": Prediction.from_x}
"""What diffusers calls the quantity that a network predicts → the prediction made of it."""


CLIPPING = ("DDIMScheduler", "DDPMScheduler")
"""Schedulers that clip x where their config does not say whether."""


MUST = {
    "thresholding": (False, "no rule here rescales x by its own percentiles"),
    "rescale_betas_zero_snr": (False, "λ must be finite at every timestep"),
    "set_alpha_to_one": (True, "every sampler here ends with the predicted x itself"),
}
"""Settings of a scheduler that have to be such where its config has them, and why."""


def _linear(first: float, last: float, count: int) -> Tensor:
    return torch.linspace(first, last, count, dtype=torch.float32)


def _scaled_linear(first: float, last: float, count: int) -> Tensor:
    return _linear(first**0.5, last**0.5, count) ** 2


def _squared_cosine(first: float, last: float, count: int) -> Tensor:
    """ᾱ(u) = cos²((u + 0.008)/1.008 · π/2), β at most 0.999 (Nichol & Dhariwal, arXiv 2102.09672, eq. 17)."""
    u = torch.linspace(0, 1, count + 1, dtype=torch.float64)
    alpha_bar = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=0.999)


BETAS: dict[str, Callable[[float, float, int], Tensor]] = {
    "linear": _linear,
    "scaled_linear": _scaled_linear,
    "squaredcos_cap_v2": _squared_cosine,
}
"""What diffusers calls a table of betas → (first, last, N) → the table (N,)."""


def complete_scheduler(given: dict[str, Any]) -> dict[str, Any]:
    """A scheduler's config, with diffusers' own defaults for what is absent.

    Raises ValueError, in a sentence that begins with the setting, for one that would not be drawn as it means.
    """
    usual = {"prediction_type": "epsilon", "timestep_spacing": "leading", "clip_sample_range": 1.0, "steps_offset": 0}
    config = {**usual, "clip_sample": given.get("_class_name") in CLIPPING, **given}
    choice("prediction_type", config["prediction_type"], PREDICTIONS)
    choice("timestep_spacing", config["timestep_spacing"], SPACINGS)
    number("steps_offset", config["steps_offset"], 0, 10**5, whole=True)
    number("clip_sample_range", config["clip_sample_range"], 0, 1e6)
    for setting, (value, reason) in MUST.items():
        if config.get(setting, value) != value:
            raise ValueError(f"{setting} must be {value}, since {reason}, got {shown(config[setting])}")
    noise_schedule(config)
    return config


def noise_schedule(config: dict[str, Any]) -> DiscreteSchedule:
    """The noise levels of a complete scheduler's config. Raises ValueError for betas unknown or out of range."""
    if config.get("trained_betas") is not None:
        betas = torch.tensor(config["trained_betas"], dtype=torch.float32).reshape(-1)
    else:
        table = BETAS[choice("beta_schedule", config.get("beta_schedule"), BETAS)]
        first, last = (number(end, config.get(end), 0, 1) for end in ("beta_start", "beta_end"))
        count = number("num_train_timesteps", config.get("num_train_timesteps"), 1, 10**5, whole=True)
        betas = table(first, last, count)
    if not bool(((betas > 0) & (betas < 1)).all()):
        raise ValueError(f"betas must lie between 0 and 1, got {float(betas.min()):g} to {float(betas.max()):g}")
    return DiscreteSchedule(betas, config["steps_offset"])
