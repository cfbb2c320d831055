"""Curve files: what is wrong with them in one sentence, how they are grouped, and what their figures say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cfg_core.commands.curves import main
from cfg_core.evaluation import sweep
from cfg_core.evaluation.conclusions import (
    Conclusion,
    at_score,
    beside,
    dip,
    exchange,
    rank,
    rises,
    steps,
    unconditional,
)
from cfg_core.evaluation.curve_file import Curve, Line, Point, parse_curve
from cfg_core.evaluation.curves import read_curves
from cfg_core.evaluation.metrics import METRICS, Estimate
from cfg_core.evaluation.paper_tables import paper_tables
from cfg_core.evaluation.sweep import Options
from tests import curve_files
from tests.curve_files import FOUR, MODEL, everything, record, write


def curve(content: dict[str, Any], title: str = "ours") -> Curve:
    return parse_curve(f"{title}.json", json.dumps(content))


def line(w: list[float], spread: float = 0.01, **metrics: list[float]) -> Line:
    """A line of given figures, each ± spread of itself."""
    rows = zip(*metrics.values(), strict=True)
    points = (
        Point(each, {m: Estimate(v, v * (1 - spread), v * (1 + spread)) for m, v in zip(metrics, row, strict=True)})
        for each, row in zip(w, rows, strict=True)
    )
    return Line("line", tuple(points))


# ---- files ----


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
    assert found.floor["fid"] == Estimate(0.02, 0.0, 0.09)
    assert (found.checkpoint, found.rule, found.sampler, found.steps) == (MODEL, "cfg", "dpmpp_2m", 12)


def test_points_stand_in_the_order_of_w() -> None:
    assert [point.w for point in curve(record((3, 0, 0.3))).points] == [0, 0.3, 3]


def without(field: str) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {name: value for name, value in content.items() if name != field}


def at_first(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {**content, "results": [{**content["results"][0], **changes}, *content["results"][1:]]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("rule"), "a.json is not a curve file: the record lacks rule"),
        (without("floor"), "a.json is not a curve file: the record lacks floor"),
        (lambda _: [], "a.json is not a curve file: the record must be an object, got []"),
        (lambda _: {}, "the record lacks checkpoint, p_uncond, classifier, features, … (16 fields)"),
        (lambda c: {**c, "results": []}, "results must be a list of at least one point, got []"),
        (lambda c: {**c, "results": [7]}, "results[0] must be an object, got 7"),
        (lambda c: {**c, "results": [*c["results"], c["results"][0]]}, "results must hold each w once"),
        (lambda c: {**c, "floor": {"fid": 1}}, "the floor lacks fid_low, fid_high, inception, inception_low, … (17"),
        (lambda c: {**c, "checkpoint": "x"}, "checkpoint must be an object, got 'x'"),
        (lambda c: {**c, "steps": 1.5}, "steps must be a whole number from 1 to 1000000000, got 1.5"),
        (lambda c: {**c, "rule": None}, "rule must be a text, got None"),
        (at_first(fid=float("nan")), "fid of w = 0 must be a number from 0 to 1000000000, got nan"),
        (at_first(recall_high=float("inf")), "recall_high of w = 0 must be a number from 0 to 1000000000, got inf"),
        (at_first(vendi="4"), "vendi of w = 0 must be a number from 0 to 1000000000, got '4'"),
        (at_first(fid_low=9.0), "fid_low of w = 0 must not be above fid_high"),
        (at_first(w=None), "w must be a number from -1 to 100, got None"),
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


def test_evaluate_writes_what_is_read_here(tmp_path: Path) -> None:
    figures = {metric: Estimate(0.5, 0.4, 0.6) for metric in METRICS}
    options = Options((0, 1), 1000)
    provenance = {name: value for name, value in record().items() if name not in ("floor", "results")}
    written = sweep.record(figures, [figures, figures], options, **provenance)
    found = curve(written)
    assert found.points[1].figures == figures
    assert (found.samples, found.rule) == (1000, options.rule)


# ---- folders ----


def test_the_curves_are_grouped_as_the_paper_asks(tmp_path: Path) -> None:
    found = read_curves(write(tmp_path), [MODEL])
    assert found.problems == ()
    assert found.main is not None
    assert found.main.file == "main.json"
    titles = {group.name: [each.title for each in group.curves] for group in found.groups}
    assert titles == {
        "strength": ["CFG"],
        "p_uncond": ["p_uncond = 0.1", "p_uncond = 0.2", "p_uncond = 0.5"],
        "steps": ["T = 8", "T = 16", "T = 32", "T = 64", "T = 128", "T = 256"],
        "method": ["CFG", "classifier guidance", "classifier, unconditional", "CFG by Bayes' rule"],
    }


def test_steps_may_be_compared_on_a_model_of_their_own(tmp_path: Path) -> None:
    small = {f"steps-{T}.json": record(FOUR, "0123456789cd", sampler="ancestral", steps=T) for T in (8, 64)}
    found = read_curves(write(tmp_path, {"main.json": record(), **small}), [MODEL])
    assert {group.name: len(group.curves) for group in found.groups} == {"strength": 1, "steps": 2}
    assert found.problems == ()


def test_only_groups_with_files_exist(tmp_path: Path) -> None:
    alone = {"main.json": record(), "steps-8.json": record(FOUR, sampler="ancestral", steps=8)}
    found = read_curves(write(tmp_path, alone), [MODEL])
    assert [group.name for group in found.groups] == ["strength"]
    assert [each.title for each in found.groups[0].curves] == ["dpmpp_2m, T = 12", "ancestral, T = 8"]


def test_a_missing_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    assert read_curves(tmp_path / "curves").problems == ("There is no folder curves with curve files.",)
    empty = write(tmp_path / "empty", {})
    assert read_curves(empty).problems == ("The folder empty holds no curve file that can be used.",)
    (empty / "a.json").write_text("{")
    first, second = read_curves(empty).problems
    assert first.startswith("a.json is not JSON: ")
    assert second == "The folder empty holds no curve file that can be used."


def test_a_bad_file_does_not_hide_the_good_ones(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "bad.json").write_bytes(b"\xff\xfe")
    (folder / "dir.json").mkdir()
    found = read_curves(folder, [MODEL])
    assert len(found.groups) == 4
    assert [problem.split()[0] for problem in found.problems] == ["bad.json", "dir.json"]


def test_figures_of_another_judge_are_left_out_and_said_not_to_compare(tmp_path: Path) -> None:
    other = {"name": "another", "hash": "ffffffffffff", "test_accuracy": 0.9}
    found = read_curves(write(tmp_path, {"main.json": record(), "new.json": record(FOUR, classifier=other)}), [MODEL])
    assert [each.file for group in found.groups for each in group.curves] == ["main.json"]
    [problem] = found.problems
    assert problem.startswith(
        "new.json was judged by 64 penultimate features of the classifier ffffffffffff, main.json"
    )
    assert problem.endswith("their figures do not compare.")


def test_other_pictures_have_groups_of_their_own(tmp_path: Path) -> None:
    judge = {"name": "another", "hash": "ffffffffffff", "test_accuracy": 0.8}
    colour = {
        name: record(FOUR, "cccccccccccc", data="cifar10", classifier=judge, rule=name) for name in ("cfg", "bayes")
    }
    files = {"main.json": record(), **{f"colour-{name}.json": each for name, each in colour.items()}}
    found = read_curves(write(tmp_path, files), [MODEL, "cccccccccccc"])
    assert found.problems == ()
    assert {group.name: group.title for group in found.groups} == {
        "strength": "Guidance strength",
        "strength-cifar10": "Guidance strength, cifar10",
        "method-cifar10": "Method, cifar10",
    }
    assert {model: curve.file for model, curve in found.of_models.items()} == {
        MODEL: "main.json",
        "cccccccccccc": "colour-cfg.json",
    }


def test_a_curve_of_another_checkpoint_is_named_and_drawn_where_there_is_no_better(tmp_path: Path) -> None:
    stale = write(tmp_path / "a", {"old.json": record(model="oldoldoldold")})
    found = read_curves(stale, [MODEL])
    assert found.problems == (
        "old.json is of the checkpoint checkpoints/fashion-mnist (oldoldoldold), which is not offered here: its points "
        "do not open in Explore.",
    )
    assert [group.name for group in found.groups] == ["strength"]
    both = read_curves(write(stale, {"new.json": record(FOUR)}), [MODEL])
    assert both.main is not None
    assert both.main.file == "new.json"
    assert both.problems[0].endswith("which is not offered here: it is not drawn.")


# ---- findings ----


def all_findings(folder: Path) -> dict[str, tuple[Conclusion, ...]]:
    return {group.name: group.findings for group in read_curves(folder, [MODEL]).groups}


def test_curves_shaped_like_the_papers_say_as_in_the_paper(tmp_path: Path) -> None:
    for name, found in all_findings(write(tmp_path)).items():
        assert found, name
        for finding in found:
            assert finding.holds in (True, None), str(finding)
            if finding.holds:
                assert finding.verdict.startswith("as ")


def papers(table: int) -> dict[float, Line]:
    """The paper's lines, with the intervals of ± 2 % that it does not give."""
    return {
        float(each.title.split(" = ")[1]): line(
            [point.w for point in each.points],
            spread=0.02,
            fid=[point.figures["fid"].value for point in each.points],
            inception=[point.figures["inception"].value for point in each.points],
        )
        for each in paper_tables()[table].lines
    }


def test_the_papers_own_tables_meet_every_criterion() -> None:
    one, two = papers(0), papers(1)
    found = [f(each) for each in (*one.values(), *two.values()) for f in (dip, rises)]
    found += [*unconditional(one), steps({int(T): each for T, each in two.items()})]
    assert [str(finding) for finding in found if not finding.holds] == []


def test_the_papers_tables_are_as_printed() -> None:
    one, two = paper_tables()
    assert one.lines[0].points[1] == Point(
        0.1, {"fid": Estimate(1.55, 1.55, 1.55), "inception": Estimate(*[66.11] * 3)}
    )
    assert [each.title for each in two.lines] == ["T = 128", "T = 256", "T = 1024"]
    assert two.says == (
        "FID is lowest at w = 0.4 for T = 128 (3.02), w = 0.3 for T = 256 (2.43), w = 0.3 for T = 1024 (2.43), and IS "
        "only rises with w."
    )
    assert all(rises(each).holds for table in (one, two) for each in table.lines)


def test_the_dip_is_told_with_what_its_interval_overlaps() -> None:
    finding = dip(line([0, 0.1, 0.3, 1], spread=0.1, fid=[2.0, 1.05, 1.0, 3.0]))
    assert str(finding) == (
        "FID is lowest at w = 0.3, 1.00 (0.900 to 1.10), against 2.00 (1.80 to 2.20) at w = 0 and 3.00 (2.70 to 3.30) "
        "at w = 1; its interval overlaps that at w = 0.1: as in the paper."
    )


@pytest.mark.parametrize(
    "fid",
    [
        [1.0, 2.0, 3.0, 4.0],  # lowest without guidance
        [4.0, 3.0, 2.0, 1.0],  # lowest at the largest w
        [4.0, 3.0, 1.0, 2.0],  # lowest at w = 1, which is not small
        [1.01, 1.0, 3.0, 4.0],  # a dip within its interval
    ],
)
def test_no_dip_at_a_small_w_is_not_as_in_the_paper(fid: list[float]) -> None:
    assert str(dip(line([0, 0.3, 1, 3], fid=fid))).endswith(": not as in the paper.")


def test_a_fall_of_is_counts_where_its_intervals_are_apart() -> None:
    slight = rises(line([0, 1, 2, 3], inception=[5, 8, 7.99, 9]))
    assert slight.holds
    assert slight.text == (
        "IS rises with w at 2 of the 3 steps, from 5.00 (4.95 to 5.05) to 9.00 (8.91 to 9.09) (Spearman ρ = 0.80); "
        "it falls at w = 2, within its intervals"
    )
    real = rises(line([0, 1, 2, 3], inception=[5, 8, 6, 9]))
    assert not real.holds
    assert "by more than its intervals" in real.text
    assert rank(line([0, 1, 2], inception=[3, 3, 3]), "inception") == 0
    assert rank(line([0], inception=[3]), "inception") == 0


def test_precision_that_falls_again_is_told() -> None:
    found = exchange([line([0, 1, 3, 8], precision=[0.5, 0.7, 0.9, 0.8], recall=[0.7, 0.6, 0.5, 0.55])])
    assert [finding.holds for finding in found] == [True, True]
    assert found[0].text.endswith("; it is highest at w = 3")
    assert found[1].text.endswith("; it is lowest at w = 3")
    flat = line([0, 1, 3], precision=[0.7, 0.7, 0.7], recall=[0.5, 0.6, 0.7])
    verdicts = [finding.verdict for finding in exchange([flat])]
    assert verdicts == ["not as the paper says of fidelity", "not as the paper says of diversity"]
    assert exchange([flat, flat])[0].text.startswith("Precision rises over w in 0 of 2 curves; line: from")


def test_fid_at_equal_is_lies_between_the_points() -> None:
    reference = line([0, 1], spread=0, inception=[4, 6], fid=[1, 3])
    assert at_score(reference, 5) == Estimate(2, 2, 2)
    assert at_score(reference, 4) == Estimate(1, 1, 1)
    assert at_score(reference, 6.1) is None


def test_a_large_p_uncond_that_is_no_worse_is_not_as_in_the_paper() -> None:
    same = line([0, 1, 2], inception=[4, 5, 6], fid=[2, 1, 3])
    found = unconditional({0.1: same, 0.2: same, 0.5: same})
    assert [finding.holds for finding in found] == [False, False, False]
    assert found[0].text.startswith("At equal IS, p_uncond = 0.5 has a higher FID than 0.1 at 0 of 3 w")


def test_where_more_steps_stop_helping() -> None:
    found = steps({T: line([0, 1], fid=[fid, fid + 1]) for T, fid in {8: 5.0, 16: 2.0, 32: 1.0, 64: 1.0}.items()})
    assert found.holds
    assert found.text == (
        "From T = 8 to 64 FID falls at 2 of 2 w, intervals apart, and is no longer above that of the most steps from "
        "T = 32 at w = 0, T = 32 at w = 1"
    )
    assert not steps({T: line([0], fid=[9 - T]) for T in (2, 4, 8)}).holds, "the most are still the best"
    assert not steps({T: line([0], fid=[3]) for T in (2, 4, 8)}).holds, "steps do not matter"


def test_cfg_beside_classifier_guidance() -> None:
    ours, worse = curve(record()), curve(record(rule="classifier", offset=2))
    assert beside(ours, worse).holds
    assert beside(worse, ours).holds is None, "the paper compares with classifier guidance"
    finding = beside(curve(record(offset=3)), worse)
    assert str(finding).endswith("(10,000 against 10,000 samples): not as in the paper.")
    assert "is higher than that of classifier, " in finding.text


# ---- the command line ----


def test_the_command_prints_tables_and_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(write(tmp_path))])
    printed = capsys.readouterr().out
    for title in ("Guidance strength", "p_uncond", "Steps T", "Method"):
        assert f"## {title}\n" in printed
    rows = [row for row in printed.splitlines() if row.startswith("| CFG | 0.3 |")]
    assert rows[0].startswith("| CFG | 0.3 | 0.400 (0.380 to 0.420) | ")
    assert printed.count("| 10,000 held-out real pictures |") == 4
    assert len({row.count("|") for row in printed.splitlines() if row.startswith("|")}) == 1
    for group in read_curves(tmp_path).groups:
        for finding in group.findings:
            assert f"- {finding}\n" in printed


@pytest.mark.parametrize(
    "make", [lambda folder: folder / "none", lambda folder: write(folder, {})], ids=["none", "empty"]
)
def test_bad_input_exits_with_2_and_one_sentence(
    make: Callable[[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(make(tmp_path))])
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m cfg_core curves: error: The")


def test_one_bad_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, {**everything(), "old.json": without("rule")(record())})
    with pytest.raises(SystemExit) as caught:
        main([str(folder)])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("error: old.json is not a curve file: the record lacks rule.\n")
