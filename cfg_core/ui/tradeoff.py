"""The Trade-off tab: IS against FID and precision against recall over w, ours beside the paper's, from curve files."""

from collections.abc import Iterable
from typing import Any

import gradio as gr

from cfg_core.evaluation.conclusions import Conclusion
from cfg_core.evaluation.curve_file import Figures, Line
from cfg_core.evaluation.curves import Curves, Group, basis
from cfg_core.evaluation.metrics import METRICS, titles
from cfg_core.evaluation.paper_tables import paper_tables
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.component import component


class TradeOff:
    """The server function of assets/tradeoff: ``read``, once, when the tab is first seen."""

    def __init__(self, models: ModelRegistry, curves: Curves) -> None:
        self.models = models
        self.curves = curves

    def render(self) -> gr.HTML:
        """The component."""

        def read(payload: Any) -> dict[str, Any]:
            return self.read()

        return component("tradeoff", read)

    def read(self) -> dict[str, Any]:
        """The curves, each with its whole file under ``record``, their conclusions, and the paper's tables."""
        main = self.curves.main
        return {
            "models": [each.hash for each in self.models.available],
            "problems": list(self.curves.problems),
            "metrics": {name: metric.title for name, metric in METRICS.items()},
            "samplers": {name: sampler.title for name, sampler in SAMPLERS.items()},
            "main": main.file if main else None,
            "groups": [_group(group) for group in self.curves.groups],
            "tables": [
                {
                    "name": table.name,
                    "title": table.title,
                    "curves": [_line(line) for line in table.lines],
                    "summary": table.summary,
                    "source": table.source,
                }
                for table in paper_tables()
            ],
        }


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "title": group.title,
        "basis": basis(group.curves[0]),
        "curves": [
            {
                "title": curve.title,
                "file": curve.file,
                "hash": curve.checkpoint,
                "model": curve.checkpoint_name,
                "parameters": curve.parameters,
                "metrics": titles(curve.kind),
                "baseline": _flat(curve.real_baseline),
                "record": curve.record,
            }
            for curve in group.curves
        ],
        "conclusions": _conclusions(group.conclusions),
    }


def _flat(figures: Figures) -> dict[str, float]:
    """Figures as a result of a curve file has them."""
    ends = (("", "value"), ("_low", "low"), ("_high", "high"))
    return {f"{name}{end}": getattr(figure, field) for name, figure in figures.items() for end, field in ends}


def _line(line: Line) -> dict[str, Any]:
    results = [{"w": p.w, **{name: figure.value for name, figure in p.figures.items()}} for p in line.points]
    return {"title": line.title, "record": {"results": results}}


def _conclusions(conclusions: Iterable[Conclusion]) -> list[dict[str, Any]]:
    return [
        {"chart": each.chart, "text": each.text, "holds": each.holds, "verdict": each.verdict} for each in conclusions
    ]
