"""What a push adds to a model card: a sheet of samples, and the figures of a curve in the Hub's format."""

import re

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from cfg_core.data.datasets import SOURCES
from cfg_core.evaluation.curve_file import Curve
from cfg_core.evaluation.curves import basis
from cfg_core.evaluation.metrics import METRICS

PICTURE = "samples.png"


BEGIN, END = "<!-- written by push -->", "<!-- up to here -->"


PUSHED = re.compile(rf"{BEGIN}.*?{END}\n*", re.DOTALL)
"""What a push has added to a card."""


def pushed_card(card: str, repository: str, curve: Curve | None) -> str:
    """The card with a picture and, in the Hub's format for evaluations, the figures of a curve, in place of any that
    an earlier push left in it."""
    local = ModelCard(card, ignore_metadata_errors=True)
    known = {**local.data.to_dict(), "pipeline_tag": "unconditional-image-generation"}
    known.pop("model-index", None)
    if curve:
        known |= {"model_name": repository.split("/")[-1], "eval_results": results(curve)}
    added = [BEGIN, f"![Samples at w = 0, 1 and 3, from the same noise]({PICTURE})", basis(curve) if curve else "", END]
    text = "\n\n".join(filter(None, [PUSHED.sub("", local.text).rstrip(), *added]))
    return f"---\n{ModelCardData(**known).to_yaml()}\n---\n{text}\n"


def results(curve: Curve) -> list[EvalResult]:
    """The figures without guidance, and at the w of the lowest FID."""
    source = SOURCES.get(curve.data)
    best = min(curve.points, key=lambda point: point.figures["fid"].value)
    settings = {"sampler": curve.sampler, "steps": curve.steps, "rule": curve.rule, "samples": curve.samples}
    return [
        EvalResult(
            task_type="unconditional-image-generation",
            dataset_type=source.repository if source else curve.data,
            dataset_name=curve.data,
            metric_type=name,
            metric_name=f"{METRICS[name].titled(curve.kind)} at w = {point.w:g}",
            metric_value=round(figure.value, 4),
            metric_args={"w": point.w, **settings, "features": curve.features},
        )
        for point in (curve.points[0], best)[: 1 if best is curve.points[0] else 2]
        for name, figure in point.figures.items()
    ]
