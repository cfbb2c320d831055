"""The Explore tab: the class rail, the guidance slider, the unguided and the guided grid from the same noise."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import gradio as gr
from cachetools import LRUCache

from cfg_core import lent
from cfg_core.curvefile import Curve
from cfg_core.engine import Full, UnknownPerson
from cfg_core.guidance import RULES, rules
from cfg_core.models import Models
from cfg_core.request import BELOW, COARSE, GAPS, GridRequest, strip
from cfg_core.samplers import SAMPLERS
from cfg_core.ui.component import component, encoded
from cfg_core.work import Frame

log = logging.getLogger(__name__)

FIELDS = ("model", "class", "w", "seed", "samples", "sampler", "steps", "rule")
PACE, COMPANY = 0.3, 8
"""Seconds between unfinished frames, and how many sessions there may be until they become longer: to send each
evaluation to everybody would take from the sampler's own cores."""

PATIENCE = 2.0
"""Seconds that a poll waits for news. A newer request of the same session ends the wait."""

RAIL_PATIENCE = 1.0
"""Seconds after which the session that draws a rail asks again, so that it is not taken for a silent one."""

REMEMBERED = 4096
"""Sessions of which the last request and the number of remote calls are kept; more than are ever admitted by default."""

UNKNOWN = {"ok": False, "unknown": True, "error": "this page has been silent for too long"}

RAIL_PICTURES = 24
"""Classes of which the rail shows pictures; of more it shows names, to be searched."""

STRIP_PICTURES = 64
"""Grids of more pictures have no strip: it would take long to fill, and much to send."""


class Explore:
    """What the page's scripts (assets/explore) call: ``open_session`` once, then ``poll`` for frames, ``trajectory`` for
    the denoising of what is displayed, ``describe_model`` to change the model, ``rail`` where its pictures come later,
    ``pause_session`` while the tab is hidden, and ``close_session`` at the end.

    All take one JSON object and return one; whatever is wrong with it comes back as a sentence in ``error``. None holds
    a thread while it waits.
    """

    def __init__(self, models: Models, curves: Mapping[str, Curve]) -> None:
        """curves: hash → where the dot of the small chart moves; there is none for a model that is not in it."""
        self.models = models
        self._draw = lent.drawer()
        self.engine = models.engine
        self.curves = curves
        self._rails: dict[str, str] = {}
        self._loading: dict[str, asyncio.Task[Any]] = {}
        self._drawing_rails: dict[str, asyncio.Task[None]] = {}
        self._requests: LRUCache[str, GridRequest] = LRUCache(REMEMBERED)  # session → what it asked for last
        self._remote_calls: LRUCache[str, int] = LRUCache(REMEMBERED)  # session → its calls of a remote GPU that ended
        first = self.engine.checkpoint.hash
        if request := self._rail_request(first):
            self._rails[first] = encoded(self.engine.draw(request).tobytes())

    def render(self) -> gr.HTML:
        """The component."""

        async def open_session(ask: Any) -> dict[str, Any]:
            return await self.open_session(ask)

        async def describe_model(ask: Any) -> dict[str, Any]:
            return await self.describe_model(ask)

        async def poll(ask: Any) -> dict[str, Any]:
            return await self.poll(ask)

        async def rail(ask: Any) -> dict[str, Any]:
            return await self.rail(ask)

        def trajectory(ask: Any) -> dict[str, Any]:
            return self.trajectory(ask)

        async def pause_session(ask: Any) -> dict[str, Any]:  # in the order in which they come, as polls
            return self.pause_session(ask)

        def close_session(ask: Any) -> dict[str, Any]:
            return self.close_session(ask)

        html = component("explore", open_session, describe_model, poll, rail, trajectory, pause_session, close_session)
        html.submit(
            self.draw_remotely,
            None,
            None,
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="multiple",  # "once" drops what is asked for while a call runs
        )
        return html

    # ---- server functions -------------------------------------------------------------------------------------------

    async def open_session(self, ask: Any) -> dict[str, Any]:
        """{query} → a token, and what ``describe_model`` returns."""
        described = await self.describe_model(ask)
        if not described["ok"]:
            return described
        try:
            return {**described, "token": self.engine.admit()}
        except Full as error:
            return {"ok": False, "error": str(error)}

    async def describe_model(self, ask: Any) -> dict[str, Any]:
        """{query} → the model that it names, the rail's pictures as far as they are there, and the request that the
        query describes; where it is nonsense, the default and a sentence. Sessions are not touched.
        """
        query = ask.get("query") if isinstance(ask, Mapping) else None
        query = query if isinstance(query, Mapping) else {}
        problem = ""
        try:
            await self._open(query)
        except ValueError as error:
            problem = str(error)
            query = {name: value for name, value in query.items() if name != "model"}
        try:
            request, notice = self.restore(query, problem)
            self._begin_rail(request.checkpoint)
        except (ValueError, RuntimeError) as error:
            return {"ok": False, "error": str(error)}
        return {
            "ok": True,
            "model": self._described(request.checkpoint),
            "models": [
                {"hash": each.hash, "title": each.name + ("" if each.config.finished else ", in training")}
                for each in self.models.offers
            ],
            "rail": self._rails.get(request.checkpoint, ""),
            "request": self.fields(request),
            "notice": notice,
        }

    async def rail(self, ask: Any) -> dict[str, Any]:
        """{model: hash} → one picture of every class, or "" while they are being drawn."""
        digest = ask.get("model") if isinstance(ask, Mapping) else None
        if not isinstance(digest, str) or digest not in self.engine.checkpoints:
            return {"ok": False, "error": "model must be the hash of a model that is described"}
        self._begin_rail(digest)
        if task := self._drawing_rails.get(digest):
            await asyncio.wait([task], timeout=PATIENCE)
        return {"ok": True, "rail": self._rails.get(digest, "")}

    async def poll(self, ask: Any) -> dict[str, Any]:
        """{token, request, seen: {serial: evaluations}, ahead} → the frames of the grid at w = 0 and of the guided
        grid, and what is new of the strip; or the position in the queue before the lab.

        While something is missing it waits a moment for a finished grid, and longer where everything there is has been
        seen, once it has said how many are served before, which ``ahead`` repeats. Pixels travel only when they are
        new. {superseded} where a later poll asks for something else.
        """
        if not isinstance(ask, Mapping) or not isinstance(ask.get("request"), Mapping):
            return {"ok": False, "error": "a poll must be an object with token, request and seen"}
        seen = ask.get("seen")
        seen = seen if isinstance(seen, Mapping) else {}
        token = str(ask.get("token"))
        try:
            await self._open(ask["request"])
            guided = self.parse(ask["request"])
            rungs = strip(guided) if guided.pictures <= STRIP_PICTURES else ()
            wanted = (guided, replace(guided, w=(0.0,))), rungs
            view = self.engine.want(token, *wanted)
            self._requests[token] = guided
            pace = min(PACE * max(1, self.engine.people / COMPANY), PATIENCE)
            for patience, enough in ((pace, _worth_sending), (PATIENCE - pace, _new)):
                whole = len(view.strip) == len(rungs) and all(frame.done for frame in view.frames)
                unsaid = view.ahead > 0 and not ask.get("ahead")
                if view.door or whole or unsaid or any(enough(frame, seen) for frame in view.frames + view.strip):
                    break
                later = await self.engine.later(token, wanted, view.version, patience)
                if later is None:
                    return {"ok": True, "superseded": True}
                view = later
        except UnknownPerson:
            return UNKNOWN
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        return {
            "ok": True,
            "frames": [_frame(frame, seen) for frame in reversed(view.frames)],
            "strip": [_frame(frame, seen) for frame in view.strip if _new(frame, seen)],
            "rungs": len(rungs),
            "missing": len(rungs) - len(view.strip),
            "ahead": view.ahead,
            "queue_position": view.door,
            "remote_calls": self._remote_calls.get(token, 0),
            "request": self.fields(guided),
            "url": guided.to_url(self._classes(guided)),
        }

    def trajectory(self, ask: Any) -> dict[str, Any]:
        """{token} → the frames of the denoising of both displayed grids, as far as it has come."""
        try:
            trajectories = self.engine.film(_token(ask))
        except UnknownPerson:
            return UNKNOWN
        return {"ok": True, "trajectories": [[_frame(frame, {}) for frame in each] for each in reversed(trajectories)]}

    def pause_session(self, ask: Any) -> dict[str, Any]:
        """{token}: nothing is displayed, so draw nothing, but keep the session and its position in the queue."""
        try:
            view = self.engine.want(_token(ask), ())
        except UnknownPerson:
            return UNKNOWN
        self._requests.pop(_token(ask), None)
        return {"ok": True, "queue_position": view.door}

    def close_session(self, ask: Any) -> dict[str, Any]:
        """{token}: the page is closed."""
        self.engine.leave(_token(ask))
        for known in (self._requests, self._remote_calls):
            known.pop(_token(ask), None)
        return {"ok": True}

    def draw_remotely(self, event: gr.EventData) -> None:
        """{token, request}, queued by the page once for a strip: have it drawn by a remote GPU, all of it in one call.

        A call that waited while its session came to ask for another strip ends at once; poll counts it as ended, and
        the page asks again for what is still missing.
        """
        ask = event._data if isinstance(event._data, Mapping) else {}
        token = _token(ask)
        try:
            self._draw_remotely(token, ask.get("request"))
        except (ValueError, UnknownPerson) as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            self._remote_calls[token] = self._remote_calls.get(token, 0) + 1

    # ---- what they need ---------------------------------------------------------------------------------------------

    def _draw_remotely(self, token: str, raw: Any) -> None:
        guided = self.parse(raw if isinstance(raw, Mapping) else {})
        if not self.engine.elsewhere(guided.checkpoint):
            raise ValueError("model must be one that is drawn by a remote GPU")
        requests = strip(guided)
        latest = self._requests.get(token, guided)
        if set(strip(latest)) != set(requests):
            log.info("remote call outdated request=%s", guided.to_json())
            return
        view = self.engine.want(token, (guided, replace(guided, w=(0.0,))), requests)
        there = {frame.request for frame in (*view.frames, *view.strip) if frame.done}
        missing = [request for request in dict.fromkeys((guided, *requests)) if request not in there]
        if not missing:  # another page had the same drawn while this one waited for its turn
            return
        try:
            drawn = self._draw(self.models.find(guided.checkpoint), missing)
            self.engine.deliver(dict(zip(missing, drawn, strict=True)))
        except Exception as error:  # whatever it was, those who wait must hear of it
            log.exception("remote call failed")
            self.engine.deliver(dict.fromkeys(missing, f"The pictures could not be drawn: {error}"))

    async def _open(self, raw: Mapping[str, Any]) -> None:
        """Load the model that a request names, where it is not loaded yet. Raises ValueError.

        One thread loads it, however many wait for it.
        """
        if "model" not in raw or self.models.is_open(raw["model"]):
            return
        digest = self.models.find(raw["model"]).hash
        if digest not in self._loading:
            task = asyncio.create_task(asyncio.to_thread(self.models.open, digest))
            task.add_done_callback(lambda _: self._loading.pop(digest, None))
            self._loading[digest] = task
        await asyncio.shield(self._loading[digest])

    def _described(self, digest: str) -> dict[str, Any]:
        """What the page must know of a model."""
        config, denoiser = self.engine.checkpoints[digest].config, self.engine.checkpoints[digest].denoiser
        channels, size, _ = denoiser.picture_shape
        return {
            "hash": digest,
            "classes": list(config.classes),
            "size": size,
            "channels": channels,
            "about": config.about,
            "meters": self.engine.measures(digest),
            "remote": self.engine.elsewhere(digest),
            "rail_pictures": self._rail_request(digest) is not None,
            "rules": [
                {"name": name, "title": rule.title, "formula": rule.formula, "parameters": _parameters(rule)}
                for name, rule in rules(denoiser).items()
            ],
            "samplers": [
                {"name": name, "title": s.title, "steps": s.default_steps, "parameters": _parameters(s)}
                for name, s in SAMPLERS.items()
            ],
            "ladder": sorted({*COARSE, *GAPS}),
            "below": sorted(BELOW),
            "strip_pictures": STRIP_PICTURES,
            "curve": _curve(self.curves.get(digest)),
        }

    def _rail_request(self, digest: str) -> GridRequest | None:
        """One picture of every class, where they are few enough and drawn here."""
        every = tuple(range(len(self.engine.checkpoints[digest].config.classes)))
        if len(every) > RAIL_PICTURES or self.engine.elsewhere(digest):
            return None
        return GridRequest(digest, every, w=(2.0,), samples=1)

    def _begin_rail(self, digest: str) -> None:
        """Have the rail's pictures drawn in the background, once."""
        request = self._rail_request(digest)
        if request and digest not in self._rails and digest not in self._drawing_rails:
            task = asyncio.create_task(self._draw_rail(request))
            self._drawing_rails[digest] = task
            task.add_done_callback(lambda _: self._drawing_rails.pop(digest, None))

    async def _draw_rail(self, request: GridRequest) -> None:
        """In a session of its own, which queues like everybody's; where that is full, the page asks again."""
        try:
            token = self.engine.admit()
        except Full:
            return
        try:
            while True:
                view = self.engine.want(token, (request,))
                if view.frames and view.frames[0].done:
                    break
                await self.engine.news(token, view.version, RAIL_PATIENCE)
            if (pixels := view.frames[0].pixels) is not None and not view.frames[0].error:
                self._rails[request.checkpoint] = encoded(pixels.tobytes())
        except UnknownPerson:  # the computer slept, or the engine was closed
            log.warning("the rail's pictures of %s were not drawn", request.checkpoint)
        finally:
            self.engine.leave(token)

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

    def restore(self, query: Mapping[str, Any], problem: str = "") -> tuple[GridRequest, str]:
        """The request of a link. What cannot be had takes its default, and a sentence says which.

        problem: what was found wrong with the link before.
        """
        fields: dict[str, Any] = {}
        problems = [problem] if problem else []

        def take(names: Iterable[str], *given: str) -> None:
            """Take over what is right of these fields, each tried with those it depends on."""
            for name in names:
                if name in query:
                    try:
                        self.parse({**{each: fields[each] for each in given if each in fields}, name: query[name]})
                        fields[name] = query[name]
                    except ValueError as error:
                        problems.append(str(error))

        take(("model",))
        take(FIELDS[1:], "model")  # it decides which classes and rules there are
        owners = RULES[fields.get("rule", GridRequest.rule)], SAMPLERS[fields.get("sampler", GridRequest.sampler)]
        take([each["name"] for owner in owners for each in _parameters(owner)], "model", "rule", "sampler")
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
            **dict(getattr(request, "parameters", {})),
        }


def _token(ask: Any) -> str:
    return str(ask.get("token")) if isinstance(ask, Mapping) else ""


def _parameters(owner: Any) -> list[dict[str, Any]]:
    """The declared parameters of a rule or sampler, as the page renders them."""
    fields = ("name", "symbol", "low", "high", "default", "step", "help")
    return [{field: getattr(each, field) for field in fields} for each in getattr(owner, "parameters", ())]


def _curve(curve: Curve | None) -> dict[str, Any] | None:
    """A model's measured curve, and the settings it was measured with."""
    if curve is None:
        return None
    points = [{"w": p.w, **{name: p.figures[name].value for name in ("inception", "fid")}} for p in curve.points]
    return {"rule": curve.rule, "sampler": curve.sampler, "steps": curve.steps, "points": points}


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
