"""The format of a curve file, written and read: the figures of a sweep over w, with all that they depend on.

A file is one JSON object with the REQUIRED fields, and those of OPTIONAL that are not at their default; each entry of
``results`` has w and, for each metric, its figure and the ends of its interval (``fid``, ``fid_low``, ``fid_high``).
Version 1, which says no version, calls ``real_baseline`` ``floor``; it is read as well. A metric that came with a later
version than the file's is not in it. Unknown fields are refused.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from cfg_core.checks import choice, json_value, line, number, parse_json, shown, text
from cfg_core.evaluation.bootstrap import Estimate
from cfg_core.evaluation.metrics import EXTRACTORS, METRICS, Figures
from cfg_core.files import LONGEST_FILE_NAME, LONGEST_PATH
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import resolve
from cfg_core.sampling.loop import parameters_of
from cfg_core.sampling.samplers import SAMPLERS

VERSION = 3


LARGEST = 1e9
"""A figure beyond this is no figure of images."""


REQUIRED = (
    "checkpoint", "p_uncond", "classifier", "features", "data", "held_out", "command", "versions", "date",
    "samples", "sampler", "steps", "seed", "rule", "real_baseline", "results",
)  # fmt: skip


OPTIONAL: Mapping[str, Any] = {
    "version": 1,
    "guide": None,
    "weaker": None,
    "extractor": "classifier",
    "reference": None,
    "note": "",
    "precision": "default",
    "interval": "",
    "class_counts": (),
    "parameters": {},
}
"""Field → what it means where it is absent."""


@dataclass(frozen=True)
class Point:
    """The figures of samples at one guidance strength w."""

    w: float
    figures: Figures


@dataclass(frozen=True)
class Line:
    """Points over w, increasing, at least one; the title labels the line where it is drawn."""

    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Curve(Line):
    """A line measured here. checkpoint, classifier: hashes. kind: whose features they are, one of EXTRACTORS.
    parameters: all that the rule and the sampler have. real_baseline: figures of held-out real images. record: the
    whole file, in the names of the newest version."""

    file: str
    checkpoint: str
    checkpoint_name: str
    images_seen: int
    p_uncond: float
    classifier: str
    test_accuracy: float
    kind: str
    features: str
    data: str
    rule: str
    sampler: str
    steps: int
    parameters: Mapping[str, float]
    samples: int
    seed: int
    real_baseline: Figures
    record: Mapping[str, Any]

    @property
    def extractor(self) -> tuple[str, str, str]:
        """Figures compare where this is equal, and nowhere else: classifier, features and data."""
        return self.classifier, self.features, self.data


# ---- writing -------------------------------------------------------------------------------------------------------


def curve_record(real_baseline: Figures, points: Iterable[tuple[float, Figures]], **provenance: Any) -> dict[str, Any]:
    """The JSON of a sweep: where it comes from, the real baseline, and one entry for each (w, figures)."""
    return {
        "version": VERSION,
        **provenance,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "interval": "95 % percentile bootstrap over the samples (recall: over the real pictures), the rest held fixed",
        "real_baseline": _flat(real_baseline),
        "results": [{"w": w, **_flat(figures)} for w, figures in points],
    }


def curve_csv(record: Mapping[str, Any]) -> str:
    """The figures of a record as CSV, the real baseline in the last row."""
    file = io.StringIO()
    rows = [*record["results"], {"w": "real", **record["real_baseline"]}]
    writer = csv.DictWriter(file, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _flat(figures: Figures) -> dict[str, float]:
    """metric, metric_low and metric_high, one after the other."""
    return {
        f"{name}{end}": value
        for name, figure in figures.items()
        for end, value in (("", figure.value), ("_low", figure.low), ("_high", figure.high))
    }


# ---- reading -------------------------------------------------------------------------------------------------------


def parse_curve(file: str, content: str) -> Curve:
    """The curve of a file. Raises ValueError, in one sentence that begins with the file's name."""
    raw = parse_json(line("the name of a curve file", file, LONGEST_FILE_NAME), content)
    try:
        return _curve(file, _upgraded(raw))
    except ValueError as error:
        raise ValueError(f"{file} is not a curve file: {error}") from error


def _upgraded(raw: Any) -> Any:
    """A record of any version in the names of the newest. Raises ValueError for a version or a field not known here."""
    if not isinstance(raw, Mapping):
        raise ValueError(f"the record must be an object, got {shown(raw)}")
    version = number("version", raw.get("version", OPTIONAL["version"]), 1, VERSION, whole=True)
    renamed: dict[str, str] = {"floor": "real_baseline"} if version == 1 else {}
    record: dict[str, Any] = {renamed.get(str(name), str(name)): value for name, value in raw.items()}
    record["version"] = version
    if unknown := sorted(record.keys() - {*REQUIRED, *OPTIONAL}):
        raise ValueError(f"the record has the unknown field {shown(unknown[0])}")
    return record


def _curve(file: str, raw: Mapping[str, Any]) -> Curve:
    _holds("the record", raw, REQUIRED)
    _holds("checkpoint", raw["checkpoint"], ("name", "hash", "images_seen"))
    _holds("classifier", raw["classifier"], ("hash", "test_accuracy"))
    _holds("held_out", raw["held_out"], ("pictures",))
    number("held_out.pictures", raw["held_out"]["pictures"], 1, LARGEST, whole=True)
    text("command", raw["command"])
    line("date", raw["date"])
    return Curve(
        title=line("rule", raw["rule"]),
        points=_points(raw["results"], raw["version"]),
        file=file,
        checkpoint=line("checkpoint.hash", raw["checkpoint"]["hash"]),
        checkpoint_name=line("checkpoint.name", raw["checkpoint"]["name"], LONGEST_PATH),
        images_seen=number("checkpoint.images_seen", raw["checkpoint"]["images_seen"], 0, 1e15, whole=True),
        p_uncond=number("p_uncond", raw["p_uncond"], 0, 1),
        classifier=line("classifier.hash", raw["classifier"]["hash"]),
        test_accuracy=number("classifier.test_accuracy", raw["classifier"]["test_accuracy"], 0, 1),
        kind=choice("extractor", raw.get("extractor", OPTIONAL["extractor"]), EXTRACTORS),
        features=line("features", raw["features"]),
        data=line("data", raw["data"], LONGEST_PATH),
        rule=line("rule", raw["rule"]),
        sampler=line("sampler", raw["sampler"]),
        steps=number("steps", raw["steps"], 1, LARGEST, whole=True),
        parameters=_parameters(raw["rule"], raw["sampler"], raw.get("parameters", OPTIONAL["parameters"])),
        samples=number("samples", raw["samples"], 1, LARGEST, whole=True),
        seed=number("seed", raw["seed"], 0, 2**32 - 1, whole=True),
        real_baseline=_figures("the real baseline", raw["real_baseline"], raw["version"]),
        record=json_value("record", raw),
    )


def _parameters(rule: str, sampler: str, given: Any) -> Mapping[str, float]:
    """Those of a file, the others at their defaults; of a rule or sampler that is not known here as they are."""
    if not isinstance(given, Mapping):
        raise ValueError(f"parameters must be an object of names and numbers, got {shown(given)}")
    if rule in RULES and sampler in SAMPLERS:
        return resolve(parameters_of(sampler, rule), given)
    return {text("parameters", name): number(str(name), value, -LARGEST, LARGEST) for name, value in given.items()}


def _points(results: Any, version: int) -> tuple[Point, ...]:
    if not isinstance(results, list) or not results:
        raise ValueError(f"results must be a list of at least one point, got {shown(results)}")
    points = []
    for n, result in enumerate(results):
        _holds(f"results[{n}]", result, ("w",))
        w = number("w", result["w"], -1, 100)
        points.append(Point(w, _figures(f"w = {w:g}", result, version)))
    points.sort(key=lambda point: point.w)
    if len({point.w for point in points}) < len(points):
        raise ValueError("results must hold each w once")
    return tuple(points)


def _figures(where: str, raw: Any, version: int) -> Figures:
    known = [name for name, metric in METRICS.items() if metric.since <= version]
    _holds(where, raw, [f"{metric}{end}" for metric in known for end in ("", "_low", "_high")])
    found = {}
    for metric in known:
        value, low, high = (
            number(f"{metric}{end} of {where}", raw[f"{metric}{end}"], 0, LARGEST) for end in ("", "_low", "_high")
        )
        if low > high:
            raise ValueError(f"{metric}_low of {where} must not be above {metric}_high, got {low:g} and {high:g}")
        found[metric] = Estimate(value, low, high)
    return found


def _holds(name: str, raw: Any, fields: Sequence[str]) -> None:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{name} must be an object, got {shown(raw)}")
    missing = [field for field in fields if field not in raw]
    if missing:
        several = f", … ({len(missing)} fields)" if len(missing) > 4 else ""
        raise ValueError(f"{name} lacks {', '.join(missing[:4])}{several}")
