"""Figures in README, docs and cards: those of the curve files, and no others."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from cfg_core.evaluation.conclusions import formatted, short
from cfg_core.evaluation.curve_file import Curve
from cfg_core.evaluation.documents import MARKED, curve_files, documents, read_curve, with_figures
from tests.curve_files import FOUR, record, write

ROOT = Path(__file__).parents[2]
SHIPPED = documents(ROOT)
TYPED = {
    "docs/network.md": "of models that were trained for a comparison and do not ship",
    "docs/training.md": "of models that were trained for a comparison and do not ship",
    "docs/sampling.md": "of spacings that no sampler has, by tests/benchmarks/spacing.py",
}
"""Documents whose other tables may hold typed FIDs, and why."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_the_figures_that_stand_in_a_document_are_what_is_written_from_the_curve_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert with_figures(text, ROOT) == text, "python -m cfg_core measure NAME writes them anew"


def figures(curve: Curve) -> set[str]:
    """Every figure of a curve file, as documents show it, with and without its interval."""
    every = [figure for point in curve.points for figure in point.figures.values()]
    every += curve.real_baseline.values()
    return {shown for figure in every for shown in (formatted(figure), short(figure.value))}


HELD = {shown for path in curve_files(ROOT) for shown in figures(read_curve(path))}
INTERVAL = re.compile(r"\d[\d.,]* \(\d[\d.,]* to \d[\d.,]*\)")


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_a_figure_that_no_curve_file_holds_stands_in_no_document(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tables = [line for block in MARKED.finditer(text) for line in block[0].splitlines() if line.startswith("| ")]
    cells = [cell.strip() for line in tables for cell in line.strip("|").split("|")[1:]]
    stated = [cell for cell in cells if re.fullmatch(r"[\d.,]+( \(.*\))?", cell)]
    stated += [] if name(path) in TYPED else INTERVAL.findall(text)
    assert not [figure for figure in stated if figure not in HELD]


@pytest.mark.parametrize("path", [path for path in SHIPPED if name(path) not in TYPED], ids=name)
def test_a_table_of_fids_is_written_not_typed(path: Path) -> None:
    typed = MARKED.sub("", path.read_text(encoding="utf-8")).splitlines()
    headings = [line for line, below in pairwise(typed) if below.startswith("|---")]
    assert not [heading for heading in headings if "FID" in heading]


# ---- markers ----


def project(folder: Path, **files: dict) -> Path:
    write(folder / "assets" / "curves", {f"{each}.json": content for each, content in files.items()})
    return folder


def written(marker: str, folder: Path) -> list[str]:
    text = with_figures(f"before\n<!-- {marker} -->\nold\n<!-- end of figures -->\nafter", folder)
    lines = text.splitlines()
    assert (lines[0], lines[1], lines[-2:]) == ("before", f"<!-- {marker} -->", ["<!-- end of figures -->", "after"])
    return [line for line in lines[2:-2] if line]


def test_a_row_for_each_w_with_the_figures_that_were_asked_for(tmp_path: Path) -> None:
    folder = project(tmp_path, a=record())
    head, _, first, second, real, basis = written(
        "figures: a; w = 0, 0.3; metrics = fid, recall; intervals = fid", folder
    )
    assert head == "| w | FID, classifier features | recall |"
    assert first == "| 0 | 4.30 (4.08 to 4.51) | 0.720 |"
    assert second == "| 0.3 | 0.400 (0.380 to 0.420) | 0.636 |"
    assert real == "| 10,000 held-out real pictures | 0.0200 (0.00 to 0.0900) | 0.700 |"
    assert "10,000 samples at each w, 12 steps of DPM-Solver++ 2M, against the 60,000 training pictures" in basis
    assert "64 penultimate features of the classifier (right on 92.15 % of the test pictures" in basis


def test_a_row_for_each_curve_is_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    steps = {f"t{steps}": record(FOUR, sampler="ancestral", steps=steps) for steps in (8, 64)}
    head, _, first, second, *_ = written(
        "figures: t8, t64; w = 0, 1; metrics = fid; rows = curve", project(tmp_path, **steps)
    )
    assert head == "| T | FID, classifier features, w = 0 | FID, classifier features, w = 1 |"
    assert (first.split(" | ")[0], second.split(" | ")[0]) == ("| 8", "| 64")


def test_figures_over_inception_features_have_the_name_of_the_literature(tmp_path: Path) -> None:
    folder = project(tmp_path, a=record(extractor="inception", features="2048 pooled features of Inception v3 (abc)"))
    head, *_, basis = written("figures: a; metrics = fid, inception", folder)
    assert head == "| w | FID | Inception Score |"
    assert "right on" not in basis


def test_conclusions_are_those_of_the_groups(tmp_path: Path) -> None:
    lines = written("conclusions: a; groups = strength", project(tmp_path, a=record()))
    assert lines[0].startswith("- FID is lowest at w = 0.3, 0.400 (0.380 to 0.420), against ")
    assert all(line.startswith("- ") for line in lines)


OTHER = {"name": "another", "hash": "ffffffffffff", "test_accuracy": 0.9}


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("figures: c", "curve must be one of a, b, got 'c'"),
        ("figures: a; z = 0", "option of a marker must be one of w, metrics, intervals, rows, got 'z'"),
        ("figures: a; w = 0.35", "w of figures must be measured in every curve, got 0.35"),
        ("figures: a; metrics = kid", "metric must be one of fid, "),
        ("figures: a; rows = steps", "rows must be one of w, curve, got 'steps'"),
        ("figures: a, b", "figures of a.json, b.json do not compare: other features"),
        ("conclusions: a; groups = rules", "group must be one of strength, got 'rules'"),
    ],
)
def test_a_marker_that_asks_for_what_is_not_there_is_refused(marker: str, message: str, tmp_path: Path) -> None:
    folder = project(tmp_path, a=record(), b=record(FOUR, classifier=OTHER, data="cifar10"))
    with pytest.raises(ValueError, match=re.escape(message)):
        written(marker, folder)
