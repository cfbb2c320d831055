"""The Explore tab: the class rail, the guidance slider, the unguided and the guided grid from the same noise."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from cfg_core.curvefile import Curve
from cfg_core.engine import Engine, Full, UnknownPerson
from cfg_core.guidance import rules
from cfg_core.request import BELOW, COARSE, GAPS, GridRequest, strip
from cfg_core.samplers import SAMPLERS
from cfg_core.ui.component import component
from cfg_core.work import Frame

FIELDS = ("class", "w", "seed", "samples", "sampler", "steps", "rule", "model")
PACE = 0.3
"""Seconds between unfinished frames: to send each evaluation would take from the sampler's own cores."""

PATIENCE = 1.0
"""Seconds that a pull waits for news. A newer wish of the same person ends the wait."""

STRIP_PICTURES = 64
"""Grids of more pictures have no strip: it would take long to fill, and much to send."""


class Explore:
    """What the page's script (assets/explore.js) calls: ``enter`` once, then ``pull`` for frames, ``film`` for the
    denoising of what it shows, and ``leave`` at the end.

    All take one JSON object and return one; whatever is wrong with it comes back as a sentence in ``error``.
    """

    def __init__(self, engine: Engine, curve: Curve | None = None) -> None:
        """curve: where the dot of the small chart moves; there is none where it is of another checkpoint."""
        self.engine = engine
        self.curve = curve if curve and curve.checkpoint == engine.checkpoint.hash else None
        self.names = engine.checkpoint.config.classes
        every = tuple(range(len(self.names)))
        self.rail = engine.draw(GridRequest(engine.checkpoint.hash, every, w=(2.0,), samples=1))

    def render(self) -> gr.HTML:
        """The component."""

        def enter(ask: Any) -> dict[str, Any]:
            return self.enter(ask)

        async def pull(ask: Any) -> dict[str, Any]:
            return await self.pull(ask)

        def film(ask: Any) -> dict[str, Any]:
            return self.film(ask)

        def leave(ask: Any) -> dict[str, Any]:
            return self.leave(ask)

        points = self.curve.points if self.curve else ()
        curve = [{"w": p.w, **{name: p.figures[name].value for name in ("inception", "fid")}} for p in points]
        return component("explore", enter, pull, film, leave, uses=("chart",), CURVE=curve)

    def enter(self, ask: Any) -> dict[str, Any]:
        """{query} → a token, the model, and what the query wants; where it is nonsense, the default and a sentence."""
        query = ask.get("query") if isinstance(ask, Mapping) else None
        request, notice = self.restore(query if isinstance(query, Mapping) else {})
        config, (channels, size, _) = self.engine.checkpoint.config, self.engine.checkpoint.denoiser.shape
        about = f"{config.data}, {config.images_seen:,} images seen, p_uncond {config.p_uncond:g}"
        try:
            token = self.engine.admit()
        except Full as error:
            return {"ok": False, "error": str(error)}
        return {
            "ok": True,
            "token": token,
            "model": {
                "hash": self.engine.checkpoint.hash,
                "classes": list(self.names),
                "size": size,
                "channels": channels,
                "about": f"The model: {about}.",
                "meters": self.engine.measures,
                "rules": [
                    {"name": n, "title": r.title, "formula": r.formula}
                    for n, r in rules(self.engine.checkpoint.denoiser).items()
                ],
                "samplers": [{"name": n, "title": s.title, "steps": s.default_steps} for n, s in SAMPLERS.items()],
                "ladder": sorted({*COARSE, *GAPS}),
                "below": sorted(BELOW),
                "strip_pictures": STRIP_PICTURES,
            },
            "rail": _base64(self.rail.tobytes()),
            "want": self.fields(request),
            "notice": notice,
        }

    async def pull(self, ask: Any) -> dict[str, Any]:
        """{token, want, seen: {serial: evaluations}} → the frames of the unguided and the guided grid, and what is new
        of the strip; or the place in the line before the lab.

        While something is missing it waits a moment for a finished grid, and longer where all there is has been seen.
        Pixels travel only when they are new. {superseded} where a later pull wants something else.
        """
        if not isinstance(ask, Mapping) or not isinstance(ask.get("want"), Mapping):
            return {"ok": False, "error": "a pull must be an object with token, want and seen"}
        seen = ask.get("seen")
        seen = seen if isinstance(seen, Mapping) else {}
        token = str(ask.get("token"))
        try:
            guided = self.parse(ask["want"])
            wish = (guided, replace(guided, w=(0.0,))), strip(guided) if guided.pictures <= STRIP_PICTURES else ()
            view = self.engine.want(token, *wish)
            for patience, enough in ((PACE, _worth_sending), (PATIENCE - PACE, _new)):
                whole = len(view.strip) == len(wish[1]) and all(frame.done for frame in view.frames)
                if view.door or whole or any(enough(frame, seen) for frame in view.frames + view.strip):
                    break
                later = await self.engine.later(token, wish, view.version, patience)
                if later is None:
                    return {"ok": True, "superseded": True}
                view = later
        except UnknownPerson:
            return {"ok": False, "unknown": True, "error": "this page has been silent for too long"}
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        return {
            "ok": True,
            "frames": [_frame(frame, seen) for frame in reversed(view.frames)],
            "strip": [_frame(frame, seen) for frame in view.strip if _new(frame, seen)],
            "rungs": len(wish[1]),
            "missing": len(wish[1]) - len(view.strip),
            "ahead": view.ahead,
            "door": view.door,
            "want": self.fields(guided),
            "url": guided.to_url(len(self.names)),
        }

    def film(self, ask: Any) -> dict[str, Any]:
        """{token} → the frames of the denoising of the unguided and of the guided grid, as far as it has come."""
        try:
            films = self.engine.film(str(ask.get("token")) if isinstance(ask, Mapping) else "")
        except UnknownPerson:
            return {"ok": False, "unknown": True, "error": "this page has been silent for too long"}
        return {"ok": True, "films": [[_frame(frame, {}) for frame in film] for film in reversed(films)]}

    def leave(self, ask: Any) -> dict[str, Any]:
        """{token}: nobody looks at this page any more."""
        self.engine.leave(str(ask.get("token")) if isinstance(ask, Mapping) else "")
        return {"ok": True}

    def grid(self, request: dict[str, Any]) -> dict[str, Any]:
        """For programs: {class, w, seed, samples, sampler, steps}, each with its default, to a finished grid.

        class and w may be several. Returns the whole request, the shape (w, class, sample, row, column, channel) and
        the pixels, base64 of uint8. Raises gr.Error, in one sentence, for what cannot be had.
        """
        try:
            asked = self.engine.check(GridRequest.parse(request, self.engine.checkpoint.hash, len(self.names)))
            pixels = self.engine.draw(asked)
        except (ValueError, RuntimeError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        return {
            "request": asked.to_query(len(self.names)),
            "shape": list(pixels.shape),
            "pixels": _base64(pixels.tobytes()),
        }

    def stats(self) -> dict[str, Any]:
        """For programs: how the engine does."""
        return asdict(self.engine.stats())

    def parse(self, raw: Mapping[str, Any]) -> GridRequest:
        """The guided grid's request: one w, and one class or all of them. Raises ValueError for anything else."""
        request = self.engine.check(GridRequest.parse(raw, self.engine.checkpoint.hash, len(self.names)))
        if len(request.w) != 1:
            raise ValueError(f"w must be one number here, got {len(request.w)}")
        if len(request.classes) != 1 and request.classes != tuple(range(len(self.names))):
            raise ValueError(f"class must be one label or all here, got {len(request.classes)} labels")
        return request

    def restore(self, query: Mapping[str, Any]) -> tuple[GridRequest, str]:
        """The request of a link. What cannot be had takes its default, and a sentence says which."""
        fields: dict[str, Any] = {}
        problems = []
        for name in FIELDS:
            if name in query:
                try:
                    self.parse({name: query[name]})
                    fields[name] = query[name]
                except ValueError as error:
                    problems.append(str(error))
        try:
            request = self.parse(fields)
        except ValueError as error:  # each is fine, together they are not
            problems.append(str(error))
            request = self.parse({})
        return request, f"In this link, {'; '.join(problems)}." if problems else ""

    def fields(self, request: GridRequest) -> dict[str, Any]:
        """A request as the page keeps it."""
        every = len(request.classes) > 1
        return {
            "class": "all" if every else request.classes[0],
            "w": request.w[0],
            "seed": request.seed,
            "samples": request.samples,
            "sampler": request.sampler,
            "steps": request.steps,
            "rule": request.rule,
        }


def _new(frame: Frame, seen: Mapping[str, Any]) -> bool:
    return seen.get(str(frame.serial)) != frame.evaluations


def _worth_sending(frame: Frame, seen: Mapping[str, Any]) -> bool:
    """Whether it is finished, or the first sign of it."""
    return _new(frame, seen) and (frame.done or (frame.evaluations > 0 and not seen.get(str(frame.serial))))


def _frame(frame: Frame, seen: Mapping[str, Any]) -> dict[str, Any]:
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
        "pixels": _base64(frame.pixels.tobytes()) if frame.pixels is not None and _new(frame, seen) else None,
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
