"""The Trade-off tab: IS against FID and precision against recall over w, of each model, from curve files."""

from collections.abc import Iterable
from typing import Any

import gradio as gr

from cfg_core.evaluation.conclusions import Conclusion
from cfg_core.evaluation.curve_file import Figures, Line
from cfg_core.evaluation.curves import Curves, Group, basis, strength_of
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
        return {
            "models": [{"hash": each.hash, "title": each.title} for each in self.models.available],
            "problems": list(self.curves.problems),
            "metrics": {name: metric.title for name, metric in METRICS.items()},
            "samplers": {name: sampler.title for name, sampler in SAMPLERS.items()},
            "groups": [_group(group) for group in self._groups()],
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

    def _groups(self) -> list[Group]:
        """The groups of the curves, and one for each other model on the page that has a curve."""
        groups = list(self.curves.groups)
        there = {group.curves[0].checkpoint for group in groups if _is_of_one_model(group)}
        measured = [each.hash for each in self.models.available if each.hash in self.curves.of_models]
        return groups + [strength_of(self.curves.of_models[digest]) for digest in measured if digest not in there]


def _is_of_one_model(group: Group) -> bool:
    """Whether its first curve is what the others compare with."""
    return group.name.startswith(("strength", "method"))


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "title": group.title.removesuffix(f", {group.curves[0].data}"),
        "data": group.curves[0].data,
        "main": group.curves[0].file if _is_of_one_model(group) else None,
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
