"""What curves show: each criterion on constructed lines, and on the paper's own tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from cfg_core.evaluation.bootstrap import Estimate
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
from cfg_core.evaluation.paper_tables import paper_tables
from tests.curve_files import MODEL, record, write


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


def all_conclusions(folder: Path) -> dict[str, tuple[Conclusion, ...]]:
    return {group.name: group.conclusions for group in read_curves(folder, [MODEL]).groups}


def test_curves_shaped_like_the_papers_say_as_in_the_paper(tmp_path: Path) -> None:
    for name, found in all_conclusions(write(tmp_path)).items():
        assert found, name
        for conclusion in found:
            assert conclusion.holds in (True, None), str(conclusion)
            if conclusion.holds:
                assert conclusion.verdict.startswith("as ")


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
    assert [str(conclusion) for conclusion in found if not conclusion.holds] == []


def test_the_papers_tables_are_as_printed() -> None:
    one, two = paper_tables()
    assert one.lines[0].points[1] == Point(
        0.1, {"fid": Estimate(1.55, 1.55, 1.55), "inception": Estimate(*[66.11] * 3)}
    )
    assert [each.title for each in two.lines] == ["T = 128", "T = 256", "T = 1024"]
    assert two.summary == (
        "FID is lowest at w = 0.4 (T = 128, 3.02), w = 0.3 (T = 256, 2.43), w = 0.3 (T = 1024, 2.43), and IS "
        "only rises with w."
    )
    assert all(rises(each).holds for table in (one, two) for each in table.lines)


def test_the_dip_is_reported_with_what_its_interval_overlaps() -> None:
    conclusion = dip(line([0, 0.1, 0.3, 1], spread=0.1, fid=[2.0, 1.05, 1.0, 3.0]))
    assert str(conclusion) == (
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


def test_precision_that_falls_again_is_reported() -> None:
    found = exchange([line([0, 1, 3, 8], precision=[0.5, 0.7, 0.9, 0.8], recall=[0.7, 0.6, 0.5, 0.55])])
    assert [conclusion.holds for conclusion in found] == [True, True]
    assert found[0].text.endswith("; it is highest at w = 3")
    assert found[1].text.endswith("; it is lowest at w = 3")
    flat = line([0, 1, 3], precision=[0.7, 0.7, 0.7], recall=[0.5, 0.6, 0.7])
    verdicts = [conclusion.verdict for conclusion in exchange([flat])]
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
    assert [conclusion.holds for conclusion in found] == [False, False, False]
    assert found[0].text.startswith("At equal IS, p_uncond = 0.5 has a higher FID than 0.1 at 0 of 3 w")


def test_where_more_steps_stop_helping() -> None:
    found = steps({T: line([0, 1], fid=[fid, fid + 1]) for T, fid in {8: 5.0, 16: 2.0, 32: 1.0, 64: 1.0}.items()})
    assert found.holds
    assert found.text == (
        "From T = 8 to 64 FID falls at 2 of 2 w, intervals apart, and is no longer above that of the most steps from "
        "T = 32 (w = 0), T = 32 (w = 1)"
    )
    assert not steps({T: line([0], fid=[9 - T]) for T in (2, 4, 8)}).holds, "the most are still the best"
    assert not steps({T: line([0], fid=[3]) for T in (2, 4, 8)}).holds, "steps do not matter"


def test_cfg_beside_classifier_guidance() -> None:
    ours, worse = curve(record()), curve(record(rule="classifier", offset=2))
    assert beside(ours, worse).holds
    assert beside(worse, ours).holds is None, "the paper compares with classifier guidance"
    conclusion = beside(curve(record(offset=3)), worse)
    assert str(conclusion).endswith("(10,000 against 10,000 samples): not as in the paper.")
    assert "is higher than that of classifier, " in conclusion.text
