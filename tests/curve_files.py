"""Curve files of constructed figures, in the format of cfg_core.evaluation.curve_file, shaped as the paper reports."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FULL = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.5, 2, 3, 4, 6, 8)
FOUR = (0, 0.3, 1, 3)
MODEL = "0123456789ab"
"""The hash of the checkpoint that these curves are of, unless another is given."""


def figures(w: float, strength: float = 1.0, offset: float = 0.0, spread: float = 0.05) -> dict[str, float]:
    """A dip of FID at w = 0.3, IS and precision that rise, recall that falls; each ± spread of itself."""
    u = strength * w
    values = {
        "fid": 0.4 + 13 * (math.sqrt(u) - math.sqrt(0.3)) ** 2 / (1 + 0.2 * u) + offset,
        "inception": 9.7 - 1.7 * math.exp(-1.1 * u),
        "precision": 0.95 - 0.22 * math.exp(-0.9 * u),
        "recall": 0.12 + 0.6 * math.exp(-0.5 * u),
        "p_correct": 0.995 - 0.16 * math.exp(-1.2 * u),
        "vendi": 4.0 + 5 * math.exp(-0.3 * u),
        "saturated": 0.6 - 0.1 * math.exp(-0.2 * u),
    }
    narrow = {"fid": spread, "inception": spread / 100}
    found = {}
    for name, value in values.items():
        half = value * narrow.get(name, spread / 20)
        found |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return found


def record(w: Sequence[float] = FULL, model: str = MODEL, **changes: Any) -> dict[str, Any]:
    """A file's content; strength, offset and spread shape its figures, other names replace its fields."""
    shape = {name: changes.pop(name) for name in ("strength", "offset", "spread") if name in changes}
    real_baseline = {**figures(0.3), "fid": 0.02, "fid_low": 0.0, "fid_high": 0.09, "recall": 0.7, "precision": 0.79}
    return {
        "version": 3,
        "checkpoint": {"name": "checkpoints/fashion-mnist", "hash": model, "images_seen": 1_200_000},
        "p_uncond": 0.1,
        "guide": None,
        "classifier": {"name": "checkpoints/classifier", "hash": "93d5b386c2cd", "test_accuracy": 0.9215},
        "features": "64 penultimate features of the classifier",
        "data": "fashion_mnist",
        "reference": {"split": "train", "pictures": 60_000, "manifold": 10_000},
        "held_out": {"split": "test", "pictures": 10_000},
        "command": "python -m cfg_core evaluate --checkpoint checkpoints/fashion-mnist",
        "note": "constructed",
        "versions": {"torch": "2.13.0", "numpy": "2.0.0"},
        "date": "2026-11-24T12:00:00+00:00",
        "samples": 10_000,
        "sampler": "dpmpp_2m",
        "steps": 12,
        "seed": 0,
        "rule": "cfg",
        "interval": "95 %",
        "real_baseline": real_baseline,
        "results": [{"w": each, **figures(each, **shape)} for each in w],
        **changes,
    }


def other(p_uncond: float) -> dict[str, Any]:
    """One of three models of an equal, smaller budget; the more it learned without the class, the less w does."""
    checkpoint = {"name": f"runs/p-uncond-{p_uncond:g}", "hash": f"{p_uncond:.10f}", "images_seen": 400_000}
    weak = {0.1: 1.0, 0.2: 0.98, 0.5: 0.7}[p_uncond]
    return record(
        checkpoint=checkpoint, p_uncond=p_uncond, samples=5000, strength=weak, offset=2 * (p_uncond == 0.5) + 0.3
    )


def everything(model: str = MODEL) -> dict[str, dict[str, Any]]:
    """File name → record: the sweeps that the paper's sections ask for."""
    guided = {"model": model, "samples": 5000, "guide": {"name": "checkpoints/guide", "hash": "0a1b2c3d4e5f"}}
    return {
        "main.json": record(model=model),
        **{f"p-uncond-{p:g}.json": other(p) for p in (0.1, 0.2, 0.5)},
        **{
            f"steps-{T}.json": record(
                FOUR, model, sampler="ancestral", steps=T, samples=2000, offset=30 / T, spread=0.15
            )
            for T in (8, 16, 32, 64, 128, 256)
        },
        "classifier.json": record(rule="classifier", strength=0.6, offset=0.5, **guided),
        "unconditional.json": record(rule="classifier_unconditional", strength=0.5, offset=1.5, **guided),
        "bayes.json": record(rule="bayes", strength=0.9, offset=0.2, **guided),
    }


def write(folder: Path, files: dict[str, dict[str, Any]] | None = None) -> Path:
    """The folder, with these files in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (everything() if files is None else files).items():
        (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
    return folder
