"""Model cards: what the config says, and what a push adds, a sheet of samples and the figures of a curve."""

import re

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from cfg_core.checkpoints.format import CheckpointConfig
from cfg_core.data.datasets import SOURCES
from cfg_core.evaluation.curve_file import Curve
from cfg_core.evaluation.curves import basis
from cfg_core.evaluation.metrics import METRICS

PICTURE = "samples.png"


BEGIN, END = "<!-- written by push -->", "<!-- up to here -->"


PUSHED = re.compile(rf"{BEGIN}.*?{END}\n*", re.DOTALL)
"""What a push has added to a card."""


def model_card(config: CheckpointConfig) -> str:
    """A model card that says what the config says; what was measured is added by whoever measured it."""
    a = config.architecture
    return f"""---
license: apache-2.0
tags: [diffusion, classifier-free-guidance, guidance-lab]
---
# A guided diffusion model of {config.data}

Draws {a.size}×{a.size} pictures of {", ".join(config.classes)}, jointly trained with and without the class
([Ho & Salimans, 2022](https://arxiv.org/abs/2207.12598)), so that classifier-free guidance works at any strength w.

- **Network**: a convolutional U-Net of widths {", ".join(map(str, a.widths))}; the class enters
  {"the decoder only, so that both halves of guidance share the encoder" if a.late else "every block"}.
- **Trained** on {config.images_seen:,} images{"" if config.finished else " so far"}, the label dropped with
  probability {config.p_uncond:g}, predicting
  {config.prediction} under the loss weight `{config.loss_weight}`, λ from {config.schedule.log_snr_min:g} to
  {config.schedule.log_snr_max:g}. The weights are an exponential moving average.
- **Command**: `{config.command}`
- **Data**: {config.data}, licence {config.licence}.
- **Use**: `python -m cfg_core sample --checkpoint FOLDER`, or `python app.py --checkpoint FOLDER`.
"""


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
            metric_name=f"{METRICS[name].title} at w = {point.w:g}",
            metric_value=round(figure.value, 4),
            metric_args={"w": point.w, **settings, "features": curve.features},
        )
        for point in (curve.points[0], best)[: 1 if best is curve.points[0] else 2]
        for name, figure in point.figures.items()
    ]
