"""The figures in README, docs and model cards: written between markers from curve files, so that none is typed.

    <!-- figures: fashion-mnist; w = 0, 0.3, 1; metrics = fid, recall; intervals = fid -->
    … a table, and in a sentence what it was measured over …
    <!-- end of figures -->

First stand curve files, by their names without ending, in assets/curves or assets/comparisons; then, each optional,
``w`` and ``metrics`` (all), ``intervals`` (of all metrics; none), and ``rows``: w, or curve for one row a file.
``conclusions: fashion-mnist; groups = strength`` in place of ``figures: …`` writes what the groups of curves of that
one's data show.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cfg_core.checks import choice
from cfg_core.evaluation.bootstrap import Estimate
from cfg_core.evaluation.conclusions import formatted, short
from cfg_core.evaluation.curve_file import Curve, parse_curve
from cfg_core.evaluation.curves import METHODS, read_curves
from cfg_core.evaluation.metrics import METRICS, Figures, titles
from cfg_core.files import read_text
from cfg_core.sampling.samplers import SAMPLERS

CURVES, COMPARISONS = Path("assets/curves"), Path("assets/comparisons")
"""Folders of a project with curve files: those of the Trade-off tab, and those of documents alone."""


MARKED = re.compile(r"<!-- (figures|conclusions): (.*?) -->\n.*?<!-- end of figures -->", re.DOTALL)


@dataclass(frozen=True)
class Table:
    """A table to write: of these curves at these w. rows: "w" or "curve"."""

    curves: tuple[Curve, ...]
    w: tuple[float, ...]
    metrics: tuple[str, ...]
    intervals: tuple[str, ...]
    rows: str


def documents(project: Path) -> list[Path]:
    """Where figures may stand: README, docs and the cards of models."""
    return [project / "README.md", *sorted(project.glob("docs/*.md")), *sorted(project.glob("checkpoints/*/README.md"))]


def with_figures(text: str, project: Path) -> str:
    """A document with everything between its markers written anew.

    Raises ValueError for a marker that asks for what is not there, or for figures in one table that do not compare.
    """

    def written(marked: re.Match[str]) -> str:
        kind, asked = marked[1], marked[2]
        lines = _conclusions(asked, project) if kind == "conclusions" else table_lines(_table(asked, project))
        return "\n".join([f"<!-- {kind}: {asked} -->", *lines, "<!-- end of figures -->"])

    return MARKED.sub(written, text)


def curve_files(project: Path) -> list[Path]:
    """The curve files of both folders."""
    return [path for folder in (CURVES, COMPARISONS) for path in sorted((project / folder).glob("*.json"))]


def read_curve(path: Path) -> Curve:
    """Raises ValueError as ``parse_curve`` does, and OSError."""
    return parse_curve(path.name, read_text(path))


def _conclusions(asked: str, project: Path) -> list[str]:
    [curve], given = _parsed(asked, ("groups",), project)
    curves = read_curves(project / CURVES)
    if curves.problems:
        raise ValueError(curves.problems[0])
    groups = {g.name.removesuffix(f"-{curve.data}"): g for g in curves.groups if g.curves[0].data == curve.data}
    names = [choice("group", name, groups) for name in given.get("groups", groups)]
    return ["", *(f"- {conclusion}" for name in names for conclusion in groups[name].conclusions), ""]


def _table(asked: str, project: Path) -> Table:
    curves, given = _parsed(asked, ("w", "metrics", "intervals", "rows"), project)
    if len({curve.extractor for curve in curves}) > 1:
        raise ValueError(f"figures of {', '.join(curve.file for curve in curves)} do not compare: other features")
    shared = [w for w in _by_w(curves[0]) if all(w in _by_w(curve) for curve in curves)]
    w = tuple(float(value) for value in given["w"]) if "w" in given else tuple(shared)
    if absent := [each for each in w if each not in shared]:
        raise ValueError(f"w of figures must be measured in every curve, got {absent[0]:g}")
    had = [name for name in METRICS if all(name in curve.real_baseline for curve in curves)]
    metrics = tuple(choice("metric", name, had) for name in given.get("metrics", had))
    intervals = tuple(choice("metric", name, (*METRICS, "none")) for name in given.get("intervals", metrics))
    [rows] = given.get("rows", ["w"])
    return Table(curves, w, metrics, intervals, choice("rows", rows, ("w", "curve")))


def _parsed(asked: str, options: Sequence[str], project: Path) -> tuple[tuple[Curve, ...], dict[str, list[str]]]:
    """The curves of a marker, and its options."""
    first, *others = (part.strip() for part in asked.split(";"))
    known = {path.stem: path for path in curve_files(project)}
    curves = tuple(read_curve(known[choice("curve", name, known)]) for name in _list(first))
    pairs = (part.partition("=") for part in others)
    return curves, {choice("option of a marker", key.strip(), options): _list(values) for key, _, values in pairs}


def _list(values: str) -> list[str]:
    return [value.strip() for value in values.split(",")]


def _by_w(curve: Curve) -> dict[float, Figures]:
    return {point.w: point.figures for point in curve.points}


# ---- Markdown ------------------------------------------------------------------------------------------------------


def table_lines(table: Table) -> list[str]:
    """The table in Markdown, the real baseline in its last row where all curves have the same, and its basis."""
    by_w = table.rows == "w"
    heading, names = _names(table.curves)
    several = len(table.curves if by_w else table.w) > 1
    columns = [f"{heading} = {name}" for name in names] if by_w else [f"w = {w:g}" for w in table.w]
    named = titles(table.curves[0].kind)
    heads = [f"{named[m]}, {column}" if several else named[m] for m in table.metrics for column in columns]
    rows = [["w" if by_w else heading, *heads]]
    for n, label in enumerate([f"{w:g}" for w in table.w] if by_w else names):
        places = [(curve, table.w[n]) for curve in table.curves] if by_w else [(table.curves[n], w) for w in table.w]
        rows.append([label, *(_cell(table, metric, *place) for metric in table.metrics for place in places)])
    if len({str(curve.real_baseline) for curve in table.curves}) == 1:
        rows.append([f"{_held_out(table.curves[0]):,} held-out real pictures", *_baseline(table, len(columns))])
    if not several and not by_w:
        rows[0] = [heading, *(f"{head} at w = {table.w[0]:g}" for head in heads)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return ["", lines[0], "|---" * len(rows[0]) + "|", *lines[1:], "", basis(table.curves), ""]


def basis(curves: Sequence[Curve]) -> str:
    """What figures were measured over, and where they are, in two sentences."""
    one = curves[0]
    real = one.record.get("reference")
    against = f" against the {real['pictures']:,} training pictures of {one.data}" if real else f" against {one.data}"
    over = f", over {one.features}"
    if one.kind == "classifier":
        over += f" (right on {100 * one.test_accuracy:.2f} % of the test pictures; comparable with such figures only)"
    files = ", ".join(f"`{curve.file}`" for curve in curves)
    return (
        f"{_how(curves)},{against}{over}; in brackets 95 % bootstrap intervals. From {files}, with the command inside."
    )


def _how(curves: Sequence[Curve]) -> str:
    steps: dict[tuple[int, str, str], list[str]] = {}
    for curve in curves:
        precision = str(curve.record.get("precision", "default"))
        computed = "" if precision == "default" else f" in {precision}"
        steps.setdefault((curve.samples, SAMPLERS[curve.sampler].title, computed), []).append(str(curve.steps))
    return "; ".join(
        f"{samples:,} samples at each w, {', '.join(dict.fromkeys(each))} steps of {sampler}{computed}"
        for (samples, sampler, computed), each in steps.items()
    )


def _held_out(curve: Curve) -> int:
    return int(curve.record["held_out"]["pictures"])


def _cell(table: Table, metric: str, curve: Curve, w: float) -> str:
    return _shown(table, metric, _by_w(curve)[w][metric])


def _shown(table: Table, metric: str, figure: Estimate) -> str:
    return formatted(figure) if metric in table.intervals else short(figure.value)


def _baseline(table: Table, columns: int) -> list[str]:
    first = [_shown(table, metric, table.curves[0].real_baseline[metric]) for metric in table.metrics]
    return [cell for each in first for cell in [each, *[""] * (columns - 1)]]


def _names(curves: Sequence[Curve]) -> tuple[str, list[str]]:
    """What tells these curves apart, and each one's value of it."""
    if len({curve.checkpoint for curve in curves}) > 1:
        return "p_uncond", [f"{curve.p_uncond:g}" for curve in curves]
    if len({curve.rule for curve in curves}) > 1:
        return "rule", [METHODS.get(curve.rule, curve.rule) for curve in curves]
    if len({curve.sampler for curve in curves}) > 1:
        return "sampler", [f"{SAMPLERS[curve.sampler].title}, {curve.steps} steps" for curve in curves]
    return "T", [str(curve.steps) for curve in curves]
