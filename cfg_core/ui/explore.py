"""The Explore tab: the class rail, the guidance slider, the unguided and the guided grid from the same noise."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from cfg_core.engine import Engine, Frame, UnknownPerson
from cfg_core.request import GridRequest
from cfg_core.samplers import SAMPLERS

ASSETS = Path(__file__).parents[2] / "assets"
FIELDS = ("class", "w", "seed", "samples", "sampler", "steps", "rule", "model")
PATIENCE = 0.25
"""Seconds that a pull waits for news; the page has one request in flight, so a new wish waits no longer than this."""


class Explore:
    """What the page's script (assets/explore.js) calls: ``enter`` once, and then ``pull`` for frames.

    Both take one JSON object and return one; whatever is wrong with it comes back as a sentence in ``error``.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.names = engine.checkpoint.config.classes
        every = tuple(range(len(self.names)))
        self.rail = engine.draw(GridRequest(engine.checkpoint.hash, every, w=(2.0,), samples=1))

    def render(self) -> gr.HTML:
        """The component. Not a subclass of gr.HTML: Gradio writes a stub file beside the source of each subclass."""

        def enter(ask: Any) -> dict[str, Any]:
            return self.enter(ask)

        async def pull(ask: Any) -> dict[str, Any]:
            return await self.pull(ask)

        return gr.HTML(
            html_template=(ASSETS / "explore.html").read_text(),
            js_on_load=(ASSETS / "explore.js").read_text(),
            apply_default_css=False,
            server_functions=[enter, pull],
            elem_id="explore",
        )

    def enter(self, ask: Any) -> dict[str, Any]:
        """{query} → a token, the model, and what the query wants; where it is nonsense, the default and a sentence."""
        query = ask.get("query") if isinstance(ask, Mapping) else None
        request, notice = self.restore(query if isinstance(query, Mapping) else {})
        config, (channels, size, _) = self.engine.checkpoint.config, self.engine.checkpoint.denoiser.shape
        about = f"{config.data}, {config.images_seen:,} images seen, p_uncond {config.p_uncond:g}"
        return {
            "token": self.engine.admit(),
            "model": {
                "classes": list(self.names),
                "size": size,
                "channels": channels,
                "about": f"Drawn by a network of this project: {about}.",
                "samplers": [{"name": n, "title": s.title, "steps": s.default_steps} for n, s in SAMPLERS.items()],
            },
            "rail": _base64(self.rail.tobytes()),
            "want": self.fields(request),
            "notice": notice,
        }

    async def pull(self, ask: Any) -> dict[str, Any]:
        """{token, want, seen: {serial: evaluations}} → the frames of the unguided and the guided grid.

        Waits a moment where all of them have been seen. Pixels travel only when they are new.
        """
        if not isinstance(ask, Mapping) or not isinstance(ask.get("want"), Mapping):
            return {"ok": False, "error": "a pull must be an object with token, want and seen"}
        try:
            guided = self.parse(ask["want"])
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        seen = ask.get("seen")
        seen = seen if isinstance(seen, Mapping) else {}
        wanted = [replace(guided, w=(0.0,)), guided]
        token = str(ask.get("token"))
        try:
            frames = self.engine.want(token, wanted)
            if all(seen.get(str(frame.serial)) == frame.evaluations for frame in frames):
                await self.engine.news(token, frames, PATIENCE)
                frames = self.engine.want(token, wanted)
        except UnknownPerson:
            return {"ok": False, "unknown": True, "error": "this page has been silent for too long"}
        return {
            "ok": True,
            "frames": [_frame(frame, seen) for frame in frames],
            "want": self.fields(guided),
            "url": guided.to_url(len(self.names)),
        }

    def parse(self, raw: Mapping[str, Any]) -> GridRequest:
        """The guided grid's request: one w, and one class or all of them. Raises ValueError for anything else."""
        request = GridRequest.parse(raw, self.engine.checkpoint.hash, len(self.names))
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


def _frame(frame: Frame, seen: Mapping[str, Any]) -> dict[str, Any]:
    new = seen.get(str(frame.serial)) != frame.evaluations and frame.pixels is not None
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
        "error": frame.error,
        "pixels": _base64(frame.pixels.tobytes()) if new and frame.pixels is not None else None,
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
