"""The curve files of a folder, grouped by the questions of the paper, with the conclusions from each group.

    python -m cfg_core curves assets/curves        # Markdown: one table a group, and its conclusions

Figures compare only where the same classifier extracted the same features from the same data: the curve with the most
points of the model that runs sets the standard, and curves of another extractor are left out, in one sentence each.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from cfg_core.checks import one_line
from cfg_core.evaluation.conclusions import Conclusion, beside, dip, exchange, formatted, rises, steps, unconditional
from cfg_core.evaluation.curve_file import Curve, parse_curve
from cfg_core.evaluation.metrics import METRICS, Figures
from cfg_core.files import read_text
from cfg_core.program import ROOT

CURVES_FOLDER = ROOT / "assets" / "curves"


METHODS = {
    "cfg": "CFG",
    "classifier": "classifier guidance",
    "classifier_unconditional": "classifier, unconditional",
    "bayes": "CFG by Bayes' rule",
}
"""Guidance rule → the label of its line."""


PAPER_SAMPLER = "ancestral"
"""The paper's sampler, whose T section 4.3 varies."""


@dataclass(frozen=True)
class Group:
    """Curves that answer one question together."""

    name: str
    title: str
    curves: tuple[Curve, ...]
    conclusions: tuple[Conclusion, ...]


@dataclass(frozen=True)
class Curves:
    """main: the curve that sets the standard. problems: one sentence for each file that cannot be used or compared.
    of_models: the hash of a model → its curve, the one with the most points of the page's rule and samplers."""

    groups: tuple[Group, ...]
    main: Curve | None
    problems: tuple[str, ...]
    of_models: Mapping[str, Curve] = field(default_factory=dict)


def read_curves(folder: Path, offered: Sequence[str] = ()) -> Curves:
    """The curves of a folder. offered: the hashes of the models on the page, the one it opens with first."""
    if not os.path.isdir(folder):
        return Curves((), None, (one_line(f"There is no folder {folder.name} with curve files."),))
    files = [_read(path) for path in sorted(folder.glob("*.json"))]
    found = [file for file in files if isinstance(file, Curve)]
    problems = [file for file in files if isinstance(file, str)]
    if not found:
        none = one_line(f"The folder {folder.name} holds no curve file that can be used.")
        return Curves((), None, (*problems, none))
    best = sorted(found, key=standing)
    of_models = {curve.checkpoint: curve for curve in best}
    main = of_models.get(offered[0], best[-1]) if offered else best[-1]
    standards = {curve.data: curve for curve in best} | {main.data: main}
    made: list[Group] = []
    for data in sorted(standards, key=lambda data: (data != main.data, data)):
        standard, of_data = standards[data], [curve for curve in found if curve.data == data]
        comparable = [curve for curve in of_data if curve.extractor == standard.extractor]
        problems += [
            f"{curve.file} was measured over {curve.features} {curve.classifier}, {standard.file} over "
            f"{standard.features} {standard.classifier}: their figures do not compare."
            for curve in of_data
            if curve.extractor != standard.extractor
        ]
        groups = list(_groups(standard, comparable))
        problems += _others(comparable, groups, offered or [standard.checkpoint])
        if data != main.data:
            groups = [replace(g, name=f"{g.name}-{data}", title=f"{g.title}, {data}") for g in groups]
        made += groups
    return Curves(tuple(made), main, tuple(problems), of_models)


def standing(curve: Curve) -> tuple[bool, bool, int, int, int]:
    """How fit a curve is to be the standard of others, the fittest last."""
    ours = curve.sampler != PAPER_SAMPLER
    return curve.rule == "cfg", ours, curve.images_seen, len(curve.points), curve.samples


def _read(path: Path) -> Curve | str:
    """The curve of a file, or a sentence that says what is wrong with it."""
    try:
        return parse_curve(path.name, read_text(path))
    except (OSError, UnicodeDecodeError):
        return one_line(f"{path.name} cannot be read as text.")
    except ValueError as error:
        return one_line(f"{error}.")


def _others(curves: Iterable[Curve], groups: Iterable[Group], offered: Sequence[str]) -> Iterable[str]:
    """A sentence for each curve of a checkpoint that is not on the page, but for comparisons that models of their own
    are made for."""
    drawn = {curve.file: group.name for group in groups for curve in group.curves}
    for curve in curves:
        if curve.checkpoint not in offered and drawn.get(curve.file) not in ("p_uncond", "steps"):
            effect = "its points do not open in Explore" if curve.file in drawn else "it is not drawn"
            yield (
                f"{curve.file} is of the checkpoint {curve.checkpoint_name} ({curve.checkpoint}), which is not offered "
                f"here: {effect}."
            )


def _groups(main: Curve, curves: Sequence[Curve]) -> Iterable[Group]:
    own = [curve for curve in curves if curve.checkpoint == main.checkpoint]
    cfg = [curve for curve in own if curve.rule == main.rule]
    by_steps = _largest(
        (curve for curve in curves if curve.rule == main.rule and curve.sampler == PAPER_SAMPLER),
        varied=lambda c: c.steps,
        fixed=lambda c: (c.checkpoint, c.samples, c.seed),
    )
    if len(by_steps) < 2:
        by_steps = {}
    strength = [main, *(curve for curve in cfg if curve is not main and curve not in by_steps.values())]
    several = len(strength) > 1
    titled = tuple(
        replace(c, title=f"{c.sampler}, T = {c.steps}" if several else METHODS.get(c.rule, c.rule)) for c in strength
    )
    yield Group("strength", "Guidance strength", titled, (dip(main), rises(main), *exchange(titled)))

    by_p = _largest(
        (curve for curve in curves if curve.rule == "cfg" and curve not in by_steps.values()),
        varied=lambda c: c.p_uncond,
        fixed=lambda c: (c.images_seen, c.sampler, c.steps, c.samples, c.seed),
    )
    lines = {p: replace(by_p[p], title=f"p_uncond = {p:g}") for p in sorted(by_p)}
    if len(lines) > 1:
        ours = tuple(lines.values())
        yield Group("p_uncond", "p_uncond", ours, (*unconditional(lines), *exchange(ours)))

    if by_steps:
        of_t = {T: replace(by_steps[T], title=f"T = {T}") for T in sorted(by_steps)}
        yield Group("steps", "Steps T", tuple(of_t.values()), (steps(of_t), *exchange(tuple(of_t.values()))))

    methods = [main, *(curve for curve in own if curve.rule != main.rule)]
    methods.sort(key=lambda curve: [main.rule, *METHODS, curve.rule].index(curve.rule))
    methods = [replace(curve, title=METHODS.get(curve.rule, curve.rule)) for curve in methods]
    if len(methods) > 1:
        compared = (beside(methods[0], curve) for curve in methods[1:])
        yield Group("method", "Method", tuple(methods), (*compared, *exchange(methods)))


def strength_of(curve: Curve) -> Group:
    """The curve of a model by itself, with what it shows."""
    titled = replace(curve, title=METHODS.get(curve.rule, curve.rule))
    return Group(
        f"strength-{curve.checkpoint}", "Guidance strength", (titled,), (dip(curve), rises(curve), *exchange([titled]))
    )


Varied = TypeVar("Varied", int, float)


def _largest(
    curves: Iterable[Curve], varied: Callable[[Curve], Varied], fixed: Callable[[Curve], object]
) -> dict[Varied, Curve]:
    """The varied value → a curve, of the largest set of curves in which all fixed values are equal."""
    sets: dict[object, dict[Varied, Curve]] = {}
    for curve in curves:
        sets.setdefault(fixed(curve), {})[varied(curve)] = curve
    return max(sets.values(), key=len, default={})


# ---- Markdown ------------------------------------------------------------------------------------------------------


def basis(curve: Curve) -> str:
    """What the figures of a curve, and of all that compare with it, are measured over, in one sentence."""
    if curve.kind == "inception":
        return f"FID over {curve.features}, as in the literature."
    features = f"{curve.features}, which is right on {100 * curve.test_accuracy:.2f} % of the test pictures"
    return f"FID over {features}; not comparable with FID over Inception features."


def markdown(curves: Curves) -> str:
    """One table a group, the real baseline in its last row, and the conclusions."""
    return "\n".join(line for group in curves.groups for line in _table(group))


def _table(group: Group) -> Iterable[str]:
    yield f"## {group.title}\n"
    titles = (metric.titled(group.curves[0].kind) for metric in METRICS.values())
    yield "| curve | w | " + " | ".join(titles) + " |"
    yield "|---" * (2 + len(METRICS)) + "|"
    for curve in group.curves:
        for point in curve.points:
            yield f"| {curve.title} | {point.w:g} | {_cells(point.figures)} |"
    held_out = group.curves[0].record["held_out"]["pictures"]
    yield f"| {held_out:,} held-out real pictures | | {_cells(group.curves[0].real_baseline)} |\n"
    yield f"{basis(group.curves[0])}\n"
    for c in group.curves:
        yield f"- {c.title}: {c.samples:,} samples, seed {c.seed}, {c.steps} steps of {c.sampler}, `{c.file}`"
    yield ""
    yield from (f"- {conclusion}" for conclusion in group.conclusions)
    yield ""


def _cells(figures: Figures) -> str:
    return " | ".join(formatted(figures[metric]) if metric in figures else "" for metric in METRICS)
