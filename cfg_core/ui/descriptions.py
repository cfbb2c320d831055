"""Models and frames as JSON for Explore, pixels in base64."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cfg_core.evaluation.curve_file import Curve
from cfg_core.evaluation.metrics import titles
from cfg_core.grids.ladder import BELOW, COARSE, GAPS
from cfg_core.guidance.rule import Rule
from cfg_core.guidance.rules import rules
from cfg_core.parameters import resolve
from cfg_core.sampling.loop import samplers_for
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.engine import Engine
from cfg_core.serving.grid_job import Frame
from cfg_core.ui.component import encoded
from cfg_core.ui.requests import STRIP_PICTURES, parameters


def describe_model(engine: Engine, digest: str, curve: Curve | None, pictured: bool) -> dict[str, Any]:
    """The model as the page needs it. curve: of the small chart. pictured: whether the rail has
    pictures of it."""
    config, denoiser = engine.checkpoints[digest].config, engine.checkpoints[digest].denoiser
    channels, size, _ = denoiser.picture_shape
    real = engine.model(digest).real
    return {
        "hash": digest,
        "classes": list(config.classes),
        "size": size,
        "channels": channels,
        "about": config.about,
        "meters": engine.model(digest).measure is not None,
        "remote": engine.is_remote(digest),
        "rail_pictures": pictured,
        "real": real and {"data": real.data, "licence": real.licence},
        "rules": describe_rules(rules(denoiser)),
        "samplers": describe_samplers(),
        "ladder": sorted({*COARSE, *GAPS}),
        "below": sorted(BELOW),
        "strip_pictures": STRIP_PICTURES,
        "curve": describe_curve(curve) if curve else None,
    }


def describe_rules(offered: Mapping[str, Rule]) -> list[dict[str, Any]]:
    """Rules by their names, with what they declare and the samplers that they may be used with."""
    return [
        {
            "name": name,
            "title": rule.title,
            "formula": rule.formula,
            "claim": rule.claim,
            "paper": {"authors": rule.paper.authors, "url": rule.paper.url},
            "samplers": samplers_for(name),
            "renoises": rule.renoises,
            "parameters": parameters(rule),
        }
        for name, rule in offered.items()
    ]


def describe_samplers() -> list[dict[str, Any]]:
    """All samplers, with their default steps and the parameters that they declare."""
    return [
        {
            "name": name,
            "title": s.title,
            "steps": s.default_steps,
            "diffuses": s.diffuses(resolve(s.parameters, {})),
            "parameters": parameters(s),
        }
        for name, s in SAMPLERS.items()
    ]


def describe_curve(curve: Curve) -> dict[str, Any]:
    """A measured curve, and the settings it was measured with."""
    points = [{"w": p.w, **{name: p.figures[name].value for name in ("inception", "fid")}} for p in curve.points]
    settings = {"rule": curve.rule, "sampler": curve.sampler, "steps": curve.steps, "parameters": curve.parameters}
    return {**settings, "metrics": titles(curve.kind), "points": points}


def is_new(frame: Frame, seen: Mapping[str, Any]) -> bool:
    """Whether the page has not seen it. seen: serial → evaluations."""
    return seen.get(str(frame.serial)) != frame.evaluations


def worth_sending(frame: Frame, seen: Mapping[str, Any]) -> bool:
    """Whether it is new and finished, or the first frame of its grid."""
    return is_new(frame, seen) and (frame.done or (frame.evaluations > 0 and not seen.get(str(frame.serial))))


def describe_frame(frame: Frame, seen: Mapping[str, Any]) -> dict[str, Any]:
    """A frame; its pixels are sent once for each grid and evaluation, z too where it has been kept."""
    return {
        "serial": frame.serial,
        "w": frame.request.w[0],
        "classes": list(frame.request.classes),
        "samples": frame.request.samples,
        "seed": frame.request.seed,
        "evaluations": frame.evaluations,
        "total": frame.request.evaluations,
        "done": frame.done,
        "seconds": frame.seconds,
        "precomputed": frame.precomputed,
        "error": frame.error,
        "meter": frame.meter and asdict(frame.meter),
        "pixels": encoded(frame.pixels.tobytes()) if frame.pixels is not None and is_new(frame, seen) else None,
        "noisy": encoded(frame.noisy.tobytes()) if frame.noisy is not None else None,
    }
