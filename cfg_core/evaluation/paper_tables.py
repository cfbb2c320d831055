"""The paper's Tables 1 and 2 (Ho & Salimans, arXiv 2207.12598) as lines to lay beside ours: FID and IS over w.

The paper gives no intervals: low and high are the figure itself. It measures no precision, no recall.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cfg_core.evaluation.bootstrap import Estimate
from cfg_core.evaluation.conclusions import short
from cfg_core.evaluation.curve_file import Line, Point
from cfg_core.program import ROOT

FILE = ROOT / "assets" / "paper_tables.json"


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper. summary: what its figures show, in one sentence."""

    name: str
    title: str
    lines: tuple[Line, ...]
    summary: str
    source: str


def paper_tables() -> tuple[PaperTable, PaperTable]:
    """Table 1: ImageNet 64×64, three p_uncond. Table 2: ImageNet 128×128, three T."""
    raw = json.loads(FILE.read_text(encoding="utf-8"))
    one = _lines(raw["imagenet64"], "by_p_uncond", "p_uncond")
    two = _lines(raw["imagenet128"], "by_steps", "T")
    return (
        PaperTable("table1", "Table 1: ImageNet 64×64", one, _summary(one), raw["source"]),
        PaperTable("table2", "Table 2: ImageNet 128×128", two, _summary(two), raw["source"]),
    )


def _lines(raw: Any, by: str, symbol: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            f"{symbol} = {value}",
            tuple(
                Point(w, {"fid": Estimate(fid, fid, fid), "inception": Estimate(score, score, score)})
                for w, fid, score in zip(raw["w"], found["fid"], found["is"], strict=True)
            ),
        )
        for value, found in raw[by].items()
    )


def _summary(lines: Iterable[Line]) -> str:
    best = ((line.title, min(line.points, key=lambda point: point.figures["fid"].value)) for line in lines)
    lowest = ", ".join(f"w = {point.w:g} ({title}, {short(point.figures['fid'].value)})" for title, point in best)
    return f"FID is lowest at {lowest}, and IS only rises with w."
