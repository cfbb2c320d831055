"""One curve file: what ``python -m cfg_core evaluate`` wrote of a sweep over w, checked, as a frozen Curve."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cfg_core.checks import number, shown, text
from cfg_core.evaluation.metrics import METRICS, Estimate

Figures = Mapping[str, Estimate]
"""Metric → its figure with its interval."""


LARGEST = 1e9
"""A figure beyond this is no figure of pictures."""


PROVENANCE = (
    "checkpoint", "p_uncond", "classifier", "features", "data", "held_out", "command", "versions", "date",
    "samples", "sampler", "steps", "seed", "rule", "floor", "results",
)  # fmt: skip
"""What a file must have; whatever else it says travels along."""


@dataclass(frozen=True)
class Point:
    """The figures of samples at one guidance strength w."""

    w: float
    figures: Figures


@dataclass(frozen=True)
class Line:
    """Points over w, increasing, at least one; the title is what stands at the line's end."""

    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Curve(Line):
    """A line measured here. checkpoint, classifier: hashes. floor: held-out real pictures. record: the whole file."""

    file: str
    checkpoint: str
    checkpoint_name: str
    images_seen: int
    p_uncond: float
    classifier: str
    test_accuracy: float
    features: str
    data: str
    rule: str
    sampler: str
    steps: int
    samples: int
    seed: int
    floor: Figures
    record: Mapping[str, Any]

    @property
    def judge(self) -> tuple[str, str, str]:
        """Figures of equal judges compare, no others."""
        return self.classifier, self.features, self.data


def parse_curve(file: str, content: str) -> Curve:
    """The curve of a file. Raises ValueError, in one sentence that begins with the file's name."""
    try:
        return _curve(file, json.loads(content))
    except json.JSONDecodeError as error:
        raise ValueError(f"{file} is not JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not a curve file: {error}") from error


def _curve(file: str, raw: Any) -> Curve:
    _holds("the record", raw, PROVENANCE)
    _holds("checkpoint", raw["checkpoint"], ("name", "hash", "images_seen"))
    _holds("classifier", raw["classifier"], ("hash", "test_accuracy"))
    _holds("held_out", raw["held_out"], ("pictures",))
    number("held_out.pictures", raw["held_out"]["pictures"], 1, LARGEST, whole=True)
    for field in ("command", "date"):
        text(field, raw[field])
    return Curve(
        title=text("rule", raw["rule"]),
        points=_points(raw["results"]),
        file=file,
        checkpoint=text("checkpoint.hash", raw["checkpoint"]["hash"]),
        checkpoint_name=text("checkpoint.name", raw["checkpoint"]["name"]),
        images_seen=number("checkpoint.images_seen", raw["checkpoint"]["images_seen"], 0, 1e15, whole=True),
        p_uncond=number("p_uncond", raw["p_uncond"], 0, 1),
        classifier=text("classifier.hash", raw["classifier"]["hash"]),
        test_accuracy=number("classifier.test_accuracy", raw["classifier"]["test_accuracy"], 0, 1),
        features=text("features", raw["features"]),
        data=text("data", raw["data"]),
        rule=text("rule", raw["rule"]),
        sampler=text("sampler", raw["sampler"]),
        steps=number("steps", raw["steps"], 1, LARGEST, whole=True),
        samples=number("samples", raw["samples"], 1, LARGEST, whole=True),
        seed=number("seed", raw["seed"], 0, 2**32 - 1, whole=True),
        floor=_figures("the floor", raw["floor"]),
        record=raw,
    )


def _points(results: Any) -> tuple[Point, ...]:
    if not isinstance(results, list) or not results:
        raise ValueError(f"results must be a list of at least one point, got {shown(results)}")
    points = []
    for n, result in enumerate(results):
        _holds(f"results[{n}]", result, ("w",))
        w = number("w", result["w"], -1, 100)
        points.append(Point(w, _figures(f"w = {w:g}", result)))
    points.sort(key=lambda point: point.w)
    if len({point.w for point in points}) < len(points):
        raise ValueError("results must hold each w once")
    return tuple(points)


def _figures(where: str, raw: Any) -> Figures:
    _holds(where, raw, [f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high")])
    found = {}
    for metric in METRICS:
        value, low, high = (
            number(f"{metric}{end} of {where}", raw[f"{metric}{end}"], 0, LARGEST) for end in ("", "_low", "_high")
        )
        if low > high:
            raise ValueError(f"{metric}_low of {where} must not be above {metric}_high, got {low:g} and {high:g}")
        found[metric] = Estimate(value, low, high)
    return found


def _holds(name: str, raw: Any, fields: tuple[str, ...] | list[str]) -> None:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{name} must be an object, got {shown(raw)}")
    missing = [field for field in fields if field not in raw]
    if missing:
        several = f", … ({len(missing)} fields)" if len(missing) > 4 else ""
        raise ValueError(f"{name} lacks {', '.join(missing[:4])}{several}")
