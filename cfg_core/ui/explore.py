"""The Explore tab: the class rail, the guidance slider, the unguided and the guided grid from the same noise."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from cfg_core.evaluation.curve_file import Curve
from cfg_core.grids.ladder import BELOW, COARSE, GAPS, strip
from cfg_core.grids.request import PARAMETERS, GridRequest
from cfg_core.guidance.rules import rules
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving import zerogpu
from cfg_core.serving.engine import ServiceFull, UnknownSession
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.component import component, encoded

log = logging.getLogger(__name__)

FIELDS = ("model", "class", "w", "seed", "samples", "sampler", "steps", "rule", "guide", *PARAMETERS)
PACE, COMPANY = 0.3, 8
"""Seconds between unfinished frames, and how many people there may be until they become longer: to send each evaluation
to everybody would take from the sampler's own cores."""

PATIENCE = 2.0
"""Seconds that a pull waits for news. A newer wish of the same person ends the wait."""

RAIL_PICTURES = 24
"""Classes of which the rail shows pictures; of more it shows names, to be searched."""

STRIP_PICTURES = 64
"""Grids of more pictures have no strip: it would take long to fill, and much to send."""


class Explore:
    """What the page's script (assets/explore.js) calls: ``enter`` once, then ``pull`` for frames, ``film`` for the
    denoising of what it shows, and ``leave`` at the end.

    All take one JSON object and return one; whatever is wrong with it comes back as a sentence in ``error``.
    """

    def __init__(self, models: ModelRegistry, curves: Mapping[str, Curve]) -> None:
        """curves: hash → where the dot of the small chart moves; there is none for a model that is not in it."""
        self.models = models
        self._draw = zerogpu.gpu_draw()
        self.engine = models.engine
        self.curves = curves
        self._rails: dict[str, str] = {}
        self._rail(self.engine.checkpoint.hash)

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

        html = component("explore", enter, pull, film, leave, uses=("chart",))
        html.submit(self.lend, None, None, show_progress="hidden", api_visibility="private")
        return html

    def lend(self, event: gr.EventData) -> None:
        """{token, want}, queued by the page once for a strip: have it drawn elsewhere, all of it in one call."""
        ask = event._data if isinstance(event._data, Mapping) else {}
        wanted = ask.get("want")
        try:
            guided = self.parse(wanted if isinstance(wanted, Mapping) else {})
            if not self.engine.elsewhere(guided.checkpoint):
                raise ValueError("model must be one that is drawn elsewhere")
            requests = strip(guided)
            view = self.engine.want(str(ask.get("token")), (guided, replace(guided, w=(0.0,))), requests)
        except (ValueError, UnknownSession) as error:
            raise gr.Error(str(error), print_exception=False) from error
        there = {frame.request for frame in (*view.frames, *view.strip) if frame.done}
        missing = [request for request in dict.fromkeys((guided, *requests)) if request not in there]
        if not missing:  # another page had the same drawn while this one waited for its turn
            return
        try:
            drawn = self._draw(self.models.find(guided.checkpoint), missing)
            self.engine.deliver(dict(zip(missing, drawn, strict=True)))
        except Exception as error:  # whatever it was, those who wait must hear of it
            log.exception("lent call failed")
            self.engine.deliver(dict.fromkeys(missing, f"The pictures could not be drawn: {error}"))

    def enter(self, ask: Any) -> dict[str, Any]:
        """{query} → a token, the model, and what the query wants; where it is nonsense, the default and a sentence."""
        query = ask.get("query") if isinstance(ask, Mapping) else None
        try:
            request, notice = self.restore(query if isinstance(query, Mapping) else {})
            rail = self._rail(request.checkpoint)
            token = self.engine.admit()
        except (ServiceFull, ValueError, RuntimeError) as error:
            return {"ok": False, "error": str(error)}
        return {
            "ok": True,
            "token": token,
            "model": self._told(request.checkpoint),
            "models": [
                {"hash": each.hash, "title": each.name + ("" if each.config.finished else ", in training")}
                for each in self.models.offers
            ],
            "rail": rail,
            "want": self.fields(request),
            "notice": notice,
        }

    def _told(self, digest: str) -> dict[str, Any]:
        """What the page must know of a model."""
        config, denoiser = self.engine.checkpoints[digest].config, self.engine.checkpoints[digest].denoiser
        channels, size, _ = denoiser.picture_shape
        points = self.curves[digest].points if digest in self.curves else ()
        return {
            "hash": digest,
            "classes": list(config.classes),
            "size": size,
            "channels": channels,
            "about": config.about,
            "meters": self.engine.measures(digest),
            "elsewhere": self.engine.elsewhere(digest),
            "rules": [
                {"name": n, "title": r.title, "formula": r.formula, "parameters": [asdict(p) for p in r.parameters]}
                for n, r in rules(denoiser).items()
            ],
            "samplers": [
                {"name": n, "title": s.title, "steps": s.default_steps, "parameters": [asdict(p) for p in s.parameters]}
                for n, s in SAMPLERS.items()
            ],
            "ladder": sorted({*COARSE, *GAPS}),
            "below": sorted(BELOW),
            "strip_pictures": STRIP_PICTURES,
            "curve": [{"w": p.w, **{name: p.figures[name].value for name in ("inception", "fid")}} for p in points],
        }

    def _rail(self, digest: str) -> str:
        """One picture of every class, where they are few enough and drawn here."""
        every = tuple(range(len(self.engine.checkpoints[digest].config.classes)))
        if len(every) > RAIL_PICTURES or self.engine.elsewhere(digest):
            return ""
        if digest not in self._rails:
            pictures = self.engine.draw(GridRequest(digest, every, w=(2.0,), samples=1))
            self._rails[digest] = encoded(pictures.tobytes())
        return self._rails[digest]

    async def pull(self, ask: Any) -> dict[str, Any]:
        """{token, want, seen: {serial: evaluations}, ahead} → the frames of the unguided and the guided grid, and
        what is new of the strip; or the place in the line before the lab.

        While something is missing it waits a moment for a finished grid, and longer where all there is has been seen,
        once it has told how many are served before, which ``ahead`` repeats. Pixels travel only when they are new.
        {superseded} where a later pull wants something else.
        """
        if not isinstance(ask, Mapping) or not isinstance(ask.get("want"), Mapping):
            return {"ok": False, "error": "a pull must be an object with token, want and seen"}
        seen = ask.get("seen")
        seen = seen if isinstance(seen, Mapping) else {}
        token = str(ask.get("token"))
        try:
            if "model" in ask["want"] and not self.models.is_open(ask["want"]["model"]):
                await asyncio.to_thread(self.models.open, ask["want"]["model"])  # nobody else waits for it
            guided = self.parse(ask["want"])
            wish = (guided, replace(guided, w=(0.0,))), strip(guided) if guided.pictures <= STRIP_PICTURES else ()
            view = self.engine.want(token, *wish)
            pace = min(PACE * max(1, self.engine.people / COMPANY), PATIENCE)
            for patience, enough in ((pace, _worth_sending), (PATIENCE - pace, _new)):
                whole = len(view.strip) == len(wish[1]) and all(frame.done for frame in view.frames)
                untold = view.ahead > 0 and not ask.get("ahead")
                if view.door or whole or untold or any(enough(frame, seen) for frame in view.frames + view.strip):
                    break
                later = await self.engine.later(token, wish, view.version, patience)
                if later is None:
                    return {"ok": True, "superseded": True}
                view = later
        except UnknownSession:
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
            "url": guided.to_url(self._classes(guided)),
        }

    def film(self, ask: Any) -> dict[str, Any]:
        """{token} → the frames of the denoising of the unguided and of the guided grid, as far as it has come."""
        try:
            films = self.engine.film(str(ask.get("token")) if isinstance(ask, Mapping) else "")
        except UnknownSession:
            return {"ok": False, "unknown": True, "error": "this page has been silent for too long"}
        return {"ok": True, "films": [[_frame(frame, {}) for frame in film] for film in reversed(films)]}

    def leave(self, ask: Any) -> dict[str, Any]:
        """{token}: nobody looks at this page any more."""
        self.engine.leave(str(ask.get("token")) if isinstance(ask, Mapping) else "")
        return {"ok": True}

    def parse(self, raw: Mapping[str, Any]) -> GridRequest:
        """The guided grid's request: one w, and one class or all of them. Raises ValueError for anything else."""
        request = self.models.request(raw)
        if len(request.w) != 1:
            raise ValueError(f"w must be one number here, got {len(request.w)}")
        if len(request.classes) != 1 and request.classes != tuple(range(self._classes(request))):
            raise ValueError(f"class must be one label or all here, got {len(request.classes)} labels")
        return request

    def _classes(self, request: GridRequest) -> int:
        return len(self.engine.checkpoints[request.checkpoint].config.classes)

    def restore(self, query: Mapping[str, Any]) -> tuple[GridRequest, str]:
        """The request of a link. What cannot be had takes its default, and a sentence says which."""
        fields: dict[str, Any] = {}
        problems = []
        for name in FIELDS:
            # they decide which classes, guide and parameters there are
            model: dict[str, Any] = {each: fields[each] for each in ("model", "sampler", "rule") if each in fields}
            if name in query:
                try:
                    self.parse({**model, name: query[name]})
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
            "model": request.checkpoint,
            "class": "all" if every else request.classes[0],
            "w": request.w[0],
            "seed": request.seed,
            "samples": request.samples,
            "sampler": request.sampler,
            "steps": request.steps,
            "rule": request.rule,
            "parameters": request.changed,
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
        "pixels": encoded(frame.pixels.tobytes()) if frame.pixels is not None and _new(frame, seen) else None,
    }
