"""What the figures show, one plain sentence each, and whether the paper reports the same. No criterion is tuned to our
figures: each is in its docstring, and the paper's own Tables 1 and 2 meet all of them
(tests/evaluation/test_conclusions.py).

Two figures differ where their 95 % intervals are apart. FID is compared at equal w, or at equal Inception Score where
a model that needs more w for the same effect would otherwise look better.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from cfg_core.evaluation.bootstrap import Estimate
from cfg_core.evaluation.curve_file import Curve, Line

SMALL = 1.0
"""A small w is above 0 and below this; the paper's best are 0.1 and 0.3."""


VERDICTS = {True: "as in the paper", False: "not as in the paper", None: "the paper does not measure this"}


@dataclass(frozen=True)
class Conclusion:
    """chart: the chart it is shown under, "fid" or "precision". holds: whether the paper reports the same, None where
    it does not measure this. claim: the quality the paper speaks of, where it gives no such figure."""

    chart: str
    text: str
    holds: bool | None
    claim: str = ""

    @property
    def verdict(self) -> str:
        """Whether the paper reports the same, in words."""
        if not self.claim:
            return VERDICTS[self.holds]
        return f"{'' if self.holds else 'not '}as the paper says of {self.claim}"

    def __str__(self) -> str:
        return f"{self.text}: {self.verdict}."


def short(value: float) -> str:
    """A figure in three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def formatted(figure: Estimate) -> str:
    """A figure and its interval, where it has one."""
    interval = f" ({short(figure.low)} to {short(figure.high)})" if figure.low < figure.high else ""
    return short(figure.value) + interval


def below(a: Estimate, b: Estimate) -> bool:
    """Whether a is below b, their intervals apart."""
    return a.high < b.low


def of(line: Line, metric: str) -> list[Estimate]:
    """A metric over w."""
    return [point.figures[metric] for point in line.points]


def rho(line: Line, metric: str) -> str:
    """The rank correlation of a metric with w, formatted."""
    return f"Spearman ρ = {rank(line, metric):.2f}".replace("-", "−")


def rank(line: Line, metric: str) -> float:
    """Spearman's rank correlation of a metric with w; 0 where the metric never changes, or there is but one w."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        found = stats.spearmanr([p.w for p in line.points], [figure.value for figure in of(line, metric)]).statistic
    return float(np.nan_to_num(found))


# ---- section 4.1: guidance strength ----


def dip(line: Line) -> Conclusion:
    """As in the paper where FID is lowest at a small w, its interval below those of the first and of the last w."""
    fid = of(line, "fid")
    best = min(range(len(fid)), key=lambda n: fid[n].value)
    same = [f"{p.w:g}" for n, p in enumerate(line.points) if n != best and not below(fid[best], p.figures["fid"])]
    first, last = line.points[0], line.points[-1]
    sentence = (
        f"FID is lowest at w = {line.points[best].w:g}, {formatted(fid[best])}, against {formatted(fid[0])} "
        f"at w = {first.w:g} and {formatted(fid[-1])} at w = {last.w:g}"
    )
    if same:
        sentence += f"; its interval overlaps that at w = {', '.join(same)}"
    small = 0 < line.points[best].w < SMALL
    return Conclusion("fid", sentence, small and below(fid[best], fid[0]) and below(fid[best], fid[-1]))


def rises(line: Line) -> Conclusion:
    """As in the paper where IS ends higher than it begins and falls at no step of w, by more than the intervals."""
    score = of(line, "inception")
    falls = [(a, b) for a, b in pairwise(line.points) if b.figures["inception"].value < a.figures["inception"].value]
    apart = any(below(b.figures["inception"], a.figures["inception"]) for a, b in falls)
    steps = len(score) - 1
    how = f"at each of the {steps} steps" if not falls else f"at {steps - len(falls)} of the {steps} steps"
    sentence = f"IS rises with w {how}, from {formatted(score[0])} to {formatted(score[-1])} ({rho(line, 'inception')})"
    if falls:
        where = ", ".join(f"{b.w:g}" for _, b in falls)
        sentence += f"; it falls at w = {where}, {'by more than' if apart else 'within'} its intervals"
    return Conclusion("fid", sentence, below(score[0], score[-1]) and not apart)


def exchange(lines: Sequence[Line]) -> list[Conclusion]:
    """Fidelity for diversity: as the paper says where precision ends higher than it begins and recall lower, in every
    line, intervals apart, and rank correlations agree."""
    found = []
    for metric, sign, verb, claim in (("precision", 1, "rises", "fidelity"), ("recall", -1, "falls", "diversity")):
        right = [line for line in lines if _moves(line, metric, sign)]
        line = lines[0]
        first, last, figures = line.points[0], line.points[-1], of(line, metric)
        example = f"from {formatted(figures[0])} at w = {first.w:g} to {formatted(figures[-1])} at w = {last.w:g}"
        example += f" ({rho(line, metric)})"
        if len(lines) > 1:
            sentence = f"{metric} {verb} over w in {len(right)} of {len(lines)} curves; {line.title}: {example}"
        else:
            sentence = f"{metric} {verb if right else f'does not {verb[:-1]}'} over w, {example}"
        turn = max(figures, key=lambda figure: sign * figure.value)
        if below(*((figures[-1], turn) if sign > 0 else (turn, figures[-1]))):
            sentence += f"; it is {'highest' if sign > 0 else 'lowest'} at w = {line.points[figures.index(turn)].w:g}"
        found.append(Conclusion("precision", sentence[0].upper() + sentence[1:], len(right) == len(lines), claim))
    return found


def _moves(line: Line, metric: str, sign: int) -> bool:
    first, *_, last = (figures := of(line, metric))[0], figures[-1]
    return sign * rank(line, metric) > 0 and (below(first, last) if sign > 0 else below(last, first))


# ---- section 4.2: p_uncond ----


def at_score(line: Line, score: float) -> Estimate | None:
    """The FID of a line, with its interval, where its Inception Score is this; None beyond its ends.

    Linear between its points, in the order of their scores.
    """
    points = sorted(line.points, key=lambda point: point.figures["inception"].value)
    scores = [point.figures["inception"].value for point in points]
    if not scores[0] <= score <= scores[-1]:
        return None
    ends = ([getattr(point.figures["fid"], end) for point in points] for end in ("value", "low", "high"))
    return Estimate(*(float(np.interp(score, scores, values)) for values in ends))


def frontier(line: Line, other: Line) -> list[tuple[Estimate, Estimate]]:
    """At each w of a line whose IS the other has too: its FID, and the other's at that IS."""
    pairs = ((point.figures["fid"], at_score(other, point.figures["inception"].value)) for point in line.points)
    return [(mine, its) for mine, its in pairs if its is not None]


def gap(pairs: Sequence[tuple[Estimate, Estimate]]) -> float:
    """How much two FIDs differ, relative to the second, on average; nan where there are none."""
    return float(np.mean([abs(mine.value / its.value - 1) for mine, its in pairs])) if pairs else float("nan")


def unconditional(lines: Mapping[float, Line]) -> list[Conclusion]:
    """The largest p_uncond is worse, as in the paper, where at equal IS its FID is higher than each other's at more
    than half of its w, intervals apart, and nowhere lower. The others are about equal, as in the paper, where they
    differ by less than half as much as the largest does."""
    *others, largest = sorted(lines)
    found, pairs = [], {p: frontier(lines[largest], lines[p]) for p in others}
    for p in others:
        worse = sum(below(its, mine) for mine, its in pairs[p])
        better = sum(below(mine, its) for mine, its in pairs[p])
        sentence = (
            f"At equal IS, p_uncond = {largest:g} has a higher FID than {p:g} at {worse} of {len(pairs[p])} w and a "
            f"lower one at {better}, intervals apart"
        )
        found.append(Conclusion("fid", sentence, 2 * worse > len(pairs[p]) and better == 0))
    for a, b in pairwise(others):
        between, beyond = gap(frontier(lines[b], lines[a])), gap(pairs[a])
        sentence = (
            f"At equal IS, the FID of p_uncond = {b:g} differs from that of {a:g} by {between:.0%} on average, that of "
            f"{largest:g} by {beyond:.0%}"
        )
        found.append(Conclusion("fid", sentence, between < beyond / 2))
    return found


# ---- section 4.3: T ----


def steps(lines: Mapping[int, Line]) -> Conclusion:
    """As in the paper where, at most w, FID falls from the fewest to the most steps, intervals apart, and fewer than
    the most are enough already: an FID that is not above that of the most."""
    order = sorted(lines)
    fid = {T: {point.w: point.figures["fid"] for point in lines[T].points} for T in order}
    shared = [w for w in fid[order[0]] if all(w in fid[T] for T in order)]
    helped = [w for w in shared if below(fid[order[-1]][w], fid[order[0]][w])]
    enough = {w: next(T for T in order if not below(fid[order[-1]][w], fid[T][w])) for w in helped}
    sentence = f"From T = {order[0]} to {order[-1]} FID falls at {len(helped)} of {len(shared)} w, intervals apart"
    if enough:
        sentence += ", and is no longer above that of the most steps from " + ", ".join(
            f"T = {T} (w = {w:g})" for w, T in enough.items()
        )
    early = [w for w in helped if enough[w] < order[-1]]
    return Conclusion("fid", sentence, 2 * len(early) > len(shared))


# ---- classifier guidance ----


def beside(reference: Curve, other: Curve) -> Conclusion:
    """As in the paper where the best FID of classifier-free guidance is not above that of the other method."""
    best, its = (min(curve.points, key=lambda p: p.figures["fid"].value) for curve in (reference, other))
    a, b = best.figures["fid"], its.figures["fid"]
    order = "lower than" if below(a, b) else "higher than" if below(b, a) else "not distinguishable from"
    sentence = (
        f"The best FID of {reference.title}, {formatted(a)} at w = {best.w:g}, is {order} that of {other.title}, "
        f"{formatted(b)} at w = {its.w:g} ({reference.samples:,} against {other.samples:,} samples)"
    )
    measured = other.rule in ("classifier", "classifier_unconditional")
    return Conclusion("fid", sentence, not below(b, a) if measured else None)
