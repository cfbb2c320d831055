"""The pictures that a class looks at: drawn once for all who follow, in one session of the engine, and sent to each as
it needs them. So a hundred followers cost a hundred sends, and hold no place of the lab."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from cachetools import LRUCache

from cfg_core.grids.request import GridRequest
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.registry import ModelRegistry
from cfg_core.serving.sessions import Demand, SessionView, UnknownSession
from cfg_core.ui.descriptions import describe_frame, is_new
from cfg_core.ui.requests import PageRequests, demand_of, follows, same_but_w

FRAME_INTERVAL, STRIP_AFTER, STRIP_INTERVAL = 0.5, 0.3, 2.0
"""Seconds between unfinished frames, from what is displayed to its strip, which is eight times as much to send, and
between parts of a strip that is being filled."""

PARTS = 2**23
"""Characters of frames as text that are kept for the next page."""

Seen = dict[str, int]
"""Serial of a grid → evaluations of it that a page holds."""


@dataclass(frozen=True)
class Scene:
    """What the class looks at: the guided grid and the one it is compared with. key: of this pair. scene: of all of it
    but w; a page keeps its frames as long as that is the same."""

    guided: GridRequest
    reference: GridRequest

    @property
    def key(self) -> str:
        return _digest(self.guided.to_json() + self.reference.to_json())

    @property
    def scene(self) -> str:
        same = replace(self.guided, w=(0.0,)), replace(self.reference, w=(0.0,))
        return _digest("".join(each.to_json() for each in same) + str(follows(self.reference, self.guided)))


@dataclass
class Sent:
    """What one page has been sent: the frames that it holds of a scene, and the number of the newest news."""

    scene: str = ""
    seen: Seen = field(default_factory=dict)
    number: int = 0


class ClassPictures:
    """Of one room. changed: called when there is something new to send. followers: how many pages look at it now."""

    def __init__(
        self, models: ModelRegistry, requests: PageRequests, changed: Callable[[], None], followers: Callable[[], int]
    ) -> None:
        self._requests, self._changed, self._followers = requests, changed, followers
        self._engine = models.engine
        self._token = ""
        self._scene: Scene | None = None
        self._names = "", ""
        self._view: SessionView | None = None
        self._number = 0
        self._strips: dict[str, list[Frame]] = {}
        self._rest = ""
        self._parts: LRUCache[tuple[int, int, bool], str] = LRUCache(PARTS, getsizeof=len)
        self._task: asyncio.Task[None] | None = None

    @property
    def key(self) -> str:
        """Of what is shown; "" for nothing."""
        return self._names[0]

    def show(self, raw: Mapping[str, Any]) -> None:
        """{request, reference}: what the teacher's page shows; {}: no pictures. Raises ValueError."""
        scene = Scene(*self._requests.pair(raw)) if raw else None
        if scene == self._scene:
            return
        if scene:
            for request in (scene.guided, scene.reference):
                self._engine.check(request)
        self._scene, self._view = scene, None
        self._names = (scene.key, scene.scene) if scene else ("", "")
        if self._task:
            self._task.cancel()
        self._task = asyncio.create_task(self._watch(scene)) if scene else None
        self._changed()

    def close(self) -> None:
        """Draw nothing more for the class."""
        self._scene = None
        if self._task:
            self._task.cancel()
        self._engine.leave(self._token)

    async def _watch(self, scene: Scene) -> None:
        """Demand the pictures, and publish what is worth sending, until all are there. Of the strip only what stands in
        for both grids is sent before they are finished, and with them."""
        demand = demand_of(scene.guided, scene.reference)
        loop = asyncio.get_running_loop()
        published = earliest = loop.time()
        while self._scene is scene:  # a cancelled task goes on where what it waited for came at the same time
            try:
                view = self._engine.set_demand(self._token, demand.displayed, demand.prefetch, self._followers())
            except UnknownSession:
                self._token = self._engine.admit_own()
                continue
            done = all(frame.done for frame in view.frames)
            whole = done and len(view.prefetched) == len(demand.prefetch)
            without_strip = replace(view, prefetched=nearest(view))
            news, now = self._news(view if done else without_strip), loop.time()
            due = max(earliest, now if whole else published + (STRIP_INTERVAL if done else FRAME_INTERVAL))
            if news == "finished":
                self._publish(scene, demand, without_strip)
                published, earliest = now, now + STRIP_AFTER
                continue
            if news and now >= due:
                self._publish(scene, demand, view if done else without_strip)
                published, news = now, ""
            if whole and not news:
                return
            with suppress(UnknownSession):
                await self._engine.wait_for_update(self._token, view.version, max(0.05, due - now) if news else 1.0)

    def _news(self, view: SessionView) -> str:
        """Whether there is something that is not published: "finished" of what is displayed, "more", or ""."""
        before = self._view
        if before is None:
            there = view.prefetched or any(frame.done for frame in view.frames)
            return "finished" if there else "more" if _begun(view) else ""
        finished = [frame.done and not old.done for frame, old in zip(view.frames, before.frames, strict=True)]
        if any(finished):
            return "finished"
        more = [frame.evaluations > old.evaluations for frame, old in zip(view.frames, before.frames, strict=True)]
        return "more" if any(more) or not set(view.prefetched) <= set(before.prefetched) else ""

    def _publish(self, scene: Scene, demand: Demand, view: SessionView) -> None:
        guided, reference = scene.guided, scene.reference
        other = follows(reference, guided)
        self._strips = {
            "strip": [frame for frame in view.prefetched if same_but_w(frame.request, guided)],
            "reference_strip": [f for f in view.prefetched if other and same_but_w(f.request, reference)],
        }
        self._view = view
        self._number += 1
        rest = {
            "ok": True,
            "key": self.key,
            "scene": self._names[1],
            "number": self._number,
            "rungs": len(demand.prefetch),
            "missing": len(demand.prefetch) - len(view.prefetched),
            "ahead": 0,
            "queue_position": 0,
            "remote_calls": 0,
            "request": self._requests.fields(guided),
            "reference": self._requests.fields(reference),
            "url": self._requests.url(guided),
        }
        self._rest = json.dumps(rest)[1:]
        self._changed()

    # ---- what is sent to one page ----

    def news_for(self, sent: Sent) -> bytes:
        """What a page has not been sent, as the JSON of an answer to ``poll`` of the Explore tab with the key of what
        it is of; b"" for nothing. Sent is brought up to date."""
        if self._view is None or sent.number == self._number:
            return b""
        if sent.scene != self._names[1]:
            sent.scene, sent.seen = self._names[1], {}
        sent.number = self._number
        lists = {"frames": [*reversed(self._view.frames)]}
        lists |= {name: [frame for frame in strip if is_new(frame, sent.seen)] for name, strip in self._strips.items()}
        body = ""
        for name, frames in lists.items():  # pixels once, though a grid may be displayed and of a strip too
            body += f'"{name}":[{",".join(self._part(frame, sent.seen) for frame in frames)}],'
            sent.seen |= {str(frame.serial): frame.evaluations for frame in frames}
        return f"{{{body}{self._rest}".encode()

    def _part(self, frame: Frame, seen: Seen) -> str:
        """A frame as JSON; its pixels only where the page has not seen them."""
        key = frame.serial, frame.evaluations, is_new(frame, seen)
        part = self._parts.get(key) or json.dumps(describe_frame(frame, seen))
        if len(part) <= PARTS:
            self._parts[key] = part
        return part


def nearest(view: SessionView) -> tuple[Frame, ...]:
    """Of the strip, the grids that are shown in place of those that are displayed until they are drawn."""
    found: dict[Frame, None] = {}
    for shown in view.frames:
        rungs = [frame for frame in view.prefetched if same_but_w(frame.request, shown.request)]
        gaps = [abs(frame.request.w[0] - shown.request.w[0]) for frame in rungs]
        if gaps:
            found[rungs[gaps.index(min(gaps))]] = None
    return tuple(found)


def _begun(view: SessionView) -> bool:
    return any(frame.evaluations for frame in view.frames)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
