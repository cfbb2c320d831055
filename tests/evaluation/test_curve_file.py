"""The format of curve files: what is written is read, old files open, and what is wrong is one sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from cfg_core.diffusion.spacings import RHO
from cfg_core.evaluation.bootstrap import Estimate
from cfg_core.evaluation.curve_file import OPTIONAL, VERSION, Curve, curve_record, parse_curve
from cfg_core.evaluation.curves import CURVES_FOLDER
from cfg_core.evaluation.metrics import METRICS
from cfg_core.guidance.rules.interval import HIGH
from tests import curve_files
from tests.curve_files import MODEL, record
from tests.random_json import QUICK, damaged, read_or_refused


def curve(content: dict[str, Any], title: str = "ours") -> Curve:
    return parse_curve(f"{title}.json", json.dumps(content))


def test_a_curve_holds_exactly_the_figures_of_its_file() -> None:
    content = record()
    found = curve(content)
    assert found.record == content
    assert [point.w for point in found.points] == list(curve_files.FULL)
    for point, result in zip(found.points, content["results"], strict=True):
        for metric in METRICS:
            figure = point.figures[metric]
            assert (figure.value, figure.low, figure.high) == tuple(
                result[f"{metric}{end}"] for end in ("", "_low", "_high")
            )
    assert found.real_baseline["fid"] == Estimate(0.02, 0.0, 0.09)
    assert (found.checkpoint, found.rule, found.sampler, found.steps) == (MODEL, "cfg", "dpmpp_2m", 12)


def test_a_curve_has_all_parameters_of_its_rule_and_its_sampler() -> None:
    assert curve(record()).parameters == {"rho": RHO.default}
    assert curve(record(sampler="ddim")).parameters == {"eta": 0.0}
    found = curve(record(rule="interval", sampler="ancestral", parameters={"log_snr_low": -2}))
    assert found.parameters == {"log_snr_low": -2.0, "log_snr_high": HIGH.default, "v": 0.3}
    assert curve(record(rule="of later", parameters={"a": 1})).parameters == {"a": 1}


def test_points_stand_in_the_order_of_w() -> None:
    assert [point.w for point in curve(record((3, 0, 0.3))).points] == [0, 0.3, 3]


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 0


def without(field: str) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {name: value for name, value in content.items() if name != field}


def at_first(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {**content, "results": [{**content["results"][0], **changes}, *content["results"][1:]]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("rule"), "a.json is not a curve file: the record lacks rule"),
        (lambda c: {**c, "surprise": 1}, "a.json is not a curve file: the record has the unknown field 'surprise'"),
        (lambda c: {**c, "floor": {}}, "a.json is not a curve file: the record has the unknown field 'floor'"),
        (lambda c: {**c, "version": 4}, "version must be a whole number from 1 to 3, got 4"),
        (without("real_baseline"), "a.json is not a curve file: the record lacks real_baseline"),
        (lambda _: [], "a.json is not a curve file: the record must be an object, got []"),
        (lambda _: {"version": 2}, "the record lacks checkpoint, p_uncond, classifier, features, … (16 fields)"),
        (lambda c: {**c, "results": []}, "results must be a list of at least one point, got []"),
        (lambda c: {**c, "results": [7]}, "results[0] must be an object, got 7"),
        (lambda c: {**c, "results": [*c["results"], c["results"][0]]}, "results must hold each w once"),
        (
            lambda c: {**c, "real_baseline": {"fid": 1}},
            "the real baseline lacks fid_low, fid_high, inception, inception_low, …",
        ),
        (lambda c: {**c, "checkpoint": "x"}, "checkpoint must be an object, got 'x'"),
        (lambda c: {**c, "steps": 1.5}, "steps must be a whole number from 1 to 1000000000, got 1.5"),
        (lambda c: {**c, "rule": None}, "rule must be a text, got None"),
        (at_first(fid=float("nan")), "fid of w = 0 must be a number from 0 to 1000000000, got nan"),
        (at_first(recall_high=float("inf")), "recall_high of w = 0 must be a number from 0 to 1000000000, got inf"),
        (at_first(vendi="4"), "vendi of w = 0 must be a number from 0 to 1000000000, got '4'"),
        (at_first(fid_low=9.0), "fid_low of w = 0 must not be above fid_high"),
        (lambda c: {**c, "parameters": 3}, "parameters must be an object of names and numbers, got 3"),
        (lambda c: {**c, "parameters": {"eta": 1}}, "parameters must be among rho for this rule and sampler, got"),
        (
            lambda c: {**c, "rule": "of later", "parameters": {"a": "b"}},
            "a must be a number from -1000000000 to 1000000000, got 'b'",
        ),
        (at_first(w=None), "w must be a number from -1 to 100, got None"),
        (lambda c: {**c, "note": "caf\udce9"}, r"record.note must be valid UTF-8, got 'caf\udce9'"),
        (lambda c: {**c, "note": "\x1b[2J"}, r"record.note must have no control characters, got '\x1b[2J'"),
        (lambda c: {**c, "note": nested(200)}, "record.note must not be nested that deeply"),
        (lambda c: {**c, "parameters": {"eta": float("nan")}}, "parameters must be among rho"),
        (lambda c: {**c, "class_counts": [10**400]}, "record.class_counts must be a number from"),
        (lambda c: {**c, "rule": "x" * 101}, "rule must be at most 100 characters, got 101"),
        (at_first(surprise="\ud800"), "record.results.surprise must be valid UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence_with_its_name(
    change: Callable[[dict[str, Any]], Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=r"^a\.json ") as caught:
        parse_curve("a.json", json.dumps(change(record())))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_json_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match=r"^a\.json is not JSON: Expecting value"):
        parse_curve("a.json", "<html>")


def test_a_file_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a\.json is nested too deeply$"):
        parse_curve("a.json", "[" * 100_000)


def test_a_file_whose_name_a_page_cannot_show_is_refused() -> None:
    with pytest.raises(ValueError, match="the name of a curve file must be valid UTF-8"):
        parse_curve("caf\udce9.json", json.dumps(record()))


@QUICK
@given(damaged(record((0, 1))))
def test_a_damaged_file_is_read_or_refused_in_one_line(content: Any) -> None:
    if found := read_or_refused(lambda: parse_curve("a.json", json.dumps(content))):
        assert json.dumps(found.record, allow_nan=False, ensure_ascii=False).encode()


def test_what_is_written_is_read() -> None:
    figures = {metric: Estimate(0.5, 0.4, 0.6) for metric in METRICS}
    written_here = ("version", "date", "interval", "real_baseline", "results")
    provenance = {name: value for name, value in record().items() if name not in written_here}
    written = curve_record(figures, [(0, figures), (1, figures)], **provenance)
    assert written["version"] == VERSION
    found = curve(json.loads(json.dumps(written)))
    assert found.points[1].figures == figures
    assert found.real_baseline == figures
    assert (found.samples, found.rule) == (10_000, "cfg")


def test_a_file_of_version_1_opens_under_its_old_names() -> None:
    """A file as it was written before versions: without one, its real baseline called floor."""
    former = record(version=2)
    content = {("floor" if name == "real_baseline" else name): value for name, value in former.items()}
    del content["version"]
    assert replace(curve(content), record={}) == replace(curve(former), record={})
    assert curve(content).record["real_baseline"] == content["floor"]


def test_a_file_has_the_metrics_of_its_version() -> None:
    former, newest = (curve(record(version=version)) for version in (2, 3))
    assert newest.real_baseline.keys() == METRICS.keys()
    assert METRICS.keys() - former.real_baseline.keys() == {"saturated"}


def test_absent_optional_fields_take_their_defaults() -> None:
    content = {name: value for name, value in record().items() if name not in OPTIONAL or name == "version"}
    assert curve(content).points == curve(record()).points


@pytest.mark.parametrize("path", sorted(CURVES_FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_curve_that_ships_opens(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    found = parse_curve(path.name, path.read_text(encoding="utf-8"))
    assert [point.w for point in found.points] == sorted(result["w"] for result in content["results"])
    baseline = content.get("real_baseline") or content["floor"]
    assert {name: figure.value for name, figure in found.real_baseline.items()} == {
        m: baseline[m] for m in METRICS if m in baseline
    }
