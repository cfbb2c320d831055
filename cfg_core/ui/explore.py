"""The Explore tab: the class rail, the guidance slider, the unguided and the guided grid from the same noise."""

import logging
from collections.abc import Mapping
from typing import Any

import gradio as gr

from cfg_core.evaluation.curve_file import Curve
from cfg_core.grids.request import GridRequest
from cfg_core.serving import zerogpu
from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.registry import ModelRegistry
from cfg_core.serving.sessions import UnknownSession
from cfg_core.ui.client_address import client_address
from cfg_core.ui.component import component
from cfg_core.ui.descriptions import describe_frame, describe_model, is_new, worth_sending
from cfg_core.ui.rails import Rails
from cfg_core.ui.real_pictures import real_pictures_of
from cfg_core.ui.requests import PageRequests, demand_of, follows, same_but_w
from cfg_core.ui.saving import Saving, kinds

log = logging.getLogger(__name__)

FRAME_INTERVAL, FULL_RATE_SESSIONS = 0.3, 8
"""Seconds between unfinished frames, and the number of sessions above which the interval grows in proportion: sending
every evaluation to every session would take CPU time from the sampler."""

POLL_TIMEOUT = 2.0
"""Seconds after which a poll returns without news. A newer request of the same session ends the wait."""

REFUSED = "() => { dispatchEvent(new Event('lab:gpu-refused')); }"
"""What the page runs where a call of the remote GPU failed: its queue was full."""

UNKNOWN = {"ok": False, "unknown": True, "error": "the session of this page has expired"}


class Explore:
    """The server functions of assets/explore.

    ``open_session`` once, then ``poll`` for frames, ``trajectory`` for the denoising of what is displayed,
    ``describe_model`` to change the model, ``rail`` where its pictures come later, ``real_pictures`` for those it was
    trained on, ``save`` for what is taken away,
    ``pause_session`` while the tab is hidden, and ``close_session`` at the end.

    All take one JSON object and return one; an invalid one is answered by a sentence in ``error``. None holds
    a thread while it waits.
    """

    def __init__(self, models: ModelRegistry, curves: Mapping[str, Curve]) -> None:
        """curves: hash → where the dot of the small chart moves; there is none for a model that is not in it."""
        self.models = models
        self._draw = zerogpu.gpu_draw()
        self.engine = models.engine
        self.curves = curves
        self._page_requests = PageRequests(models)
        self._rails = Rails(self.engine)
        self._saving = Saving(models, self._page_requests)

    def render(self) -> gr.HTML:
        """The component."""

        async def open_session(payload: Any, request: gr.Request) -> dict[str, Any]:
            return await self.open_session(payload, client_address(request))

        async def describe_model(payload: Any) -> dict[str, Any]:
            return await self.describe_model(payload)

        async def poll(payload: Any) -> dict[str, Any]:
            return await self.poll(payload)

        async def rail(payload: Any) -> dict[str, Any]:
            return await self.rail(payload)

        async def real_pictures(payload: Any) -> dict[str, Any]:
            return real_pictures_of(self.engine, payload)

        def trajectory(payload: Any) -> dict[str, Any]:
            return self.trajectory(payload)

        async def pause_session(payload: Any) -> dict[str, Any]:  # in the order in which they come, as polls
            return self.pause_session(payload)

        async def close_session(payload: Any) -> dict[str, Any]:
            return self.close_session(payload)

        async def save(payload: Any, request: gr.Request) -> dict[str, Any]:
            return await self._saving.save(payload, client_address(request))

        drawing = (open_session, describe_model, poll, rail, real_pictures, trajectory)
        html = component("explore", *drawing, pause_session, close_session, save, KINDS=kinds())
        html.submit(
            self.draw_remotely,
            None,
            None,
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="multiple",  # "once" drops what is asked for while a call runs
        ).failure(js=REFUSED, api_visibility="private")
        return html

    # ---- server functions -------------------------------------------------------------------------------------------

    async def open_session(self, payload: Any, address: str = "") -> dict[str, Any]:
        """{query} → a token, and what ``describe_model`` returns. address: of the client."""
        described = await self.describe_model(payload)
        if not described["ok"]:
            return described
        try:
            return {**described, "token": self.engine.admit(address)}
        except ServiceFull as error:
            log.warning("session refused: %s", error)
            return {"ok": False, "error": str(error)}

    async def describe_model(self, payload: Any) -> dict[str, Any]:
        """{query} → the model that it names, the rail's pictures as far as they are there, and the request that the
        query describes; where it is invalid, the default and a sentence. Sessions do not change.
        """
        query = payload.get("query") if isinstance(payload, Mapping) else None
        query = query if isinstance(query, Mapping) else {}
        problem = ""
        try:
            await self._open(query)
        except ValueError as error:
            problem = str(error)
            query = {name: value for name, value in query.items() if name != "model"}
        try:
            request, notice = self._page_requests.restore(query, problem)
        except (ValueError, RuntimeError) as error:
            return {"ok": False, "error": str(error)}
        digest = request.checkpoint
        return {
            "ok": True,
            "model": describe_model(self.engine, digest, self.curves.get(digest), self._rails.pictured(digest)),
            "models": [
                {
                    "hash": each.hash,
                    "title": each.title + ("" if each.config.finished else ", in training"),
                    "classes": list(each.config.classes),
                }
                for each in self.models.available
            ],
            "rail": self._rails.pictures(digest),
            "request": self._page_requests.fields(request),
            "notice": notice,
        }

    async def rail(self, payload: Any) -> dict[str, Any]:
        """{model: hash} → one picture of every class, or "" while they are being drawn."""
        digest = payload.get("model") if isinstance(payload, Mapping) else None
        if not isinstance(digest, str) or digest not in self.engine.checkpoints:
            return {"ok": False, "error": "model must be the hash of a model that is described"}
        return {"ok": True, "rail": await self._rails.wait(digest, POLL_TIMEOUT)}

    async def poll(self, payload: Any) -> dict[str, Any]:
        """{token, request, reference, seen: {serial: evaluations}, ahead} → the frames of the reference, the left grid,
        and of the guided grid, and what is new of their strips; or the position in the queue before the lab.

        While something is missing it waits a moment for a finished grid, and longer where the page has seen every
        frame so far, unless the number of sessions served before it has not been reported yet, which ``ahead`` repeats.
        Pixels are sent only when they are new. {superseded} where a later poll asks for something else, {gone} where
        the model cannot be had: this process was started after the page had it.
        """
        if not isinstance(payload, Mapping) or not isinstance(payload.get("request"), Mapping):
            return {"ok": False, "error": "a poll must be an object with token, request, reference and seen"}
        seen = payload.get("seen")
        seen = seen if isinstance(seen, Mapping) else {}
        token = _token(payload)
        try:
            await self._open(payload["request"])
        except ValueError as error:
            return {"ok": False, "gone": True, "error": str(error)}
        try:
            await self._open(payload.get("reference"))
            guided, reference = self._page_requests.pair(payload)
            demand = demand_of(guided, reference)
            rungs = demand.prefetch
            view = self.engine.set_demand(token, demand.displayed, demand.prefetch)
            interval = min(FRAME_INTERVAL * max(1, len(self.engine.sessions) / FULL_RATE_SESSIONS), POLL_TIMEOUT)
            for timeout, enough in ((interval, worth_sending), (POLL_TIMEOUT - interval, is_new)):
                whole = len(view.prefetched) == len(rungs) and all(frame.done for frame in view.frames)
                unreported = view.ahead > 0 and not payload.get("ahead")
                if (
                    view.queue_position
                    or whole
                    or unreported
                    or any(enough(frame, seen) for frame in view.frames + view.prefetched)
                ):
                    break
                later = await self.engine.next_view(token, demand, view.version, timeout)
                if later is None:
                    return {"ok": True, "superseded": True}
                view = later
        except UnknownSession:
            return UNKNOWN
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        new = [frame for frame in view.prefetched if is_new(frame, seen)]
        other = [frame for frame in new if same_but_w(frame.request, reference)] if follows(reference, guided) else []
        session = self.engine.sessions.find(token)
        return {
            "ok": True,
            "frames": [describe_frame(frame, seen) for frame in reversed(view.frames)],
            "strip": [describe_frame(frame, seen) for frame in new if same_but_w(frame.request, guided)],
            "reference_strip": [describe_frame(frame, seen) for frame in other],
            "rungs": len(rungs),
            "missing": len(rungs) - len(view.prefetched),
            "ahead": view.ahead,
            "queue_position": view.queue_position,
            "remote_calls": session.remote_calls if session else 0,
            "request": self._page_requests.fields(guided),
            "url": self._page_requests.url(guided),
        }

    def trajectory(self, payload: Any) -> dict[str, Any]:
        """{token} → the frames of the denoising of both displayed grids, as far as it has come."""
        try:
            trajectories = self.engine.trajectories(_token(payload))
        except UnknownSession:
            return UNKNOWN
        return {
            "ok": True,
            "trajectories": [[describe_frame(frame, {}) for frame in each] for each in reversed(trajectories)],
        }

    def pause_session(self, payload: Any) -> dict[str, Any]:
        """{token}: nothing is displayed, so draw nothing, but keep the session and its position in the queue."""
        try:
            view = self.engine.set_demand(_token(payload), ())
        except UnknownSession:
            return UNKNOWN
        return {"ok": True, "queue_position": view.queue_position}

    def close_session(self, payload: Any) -> dict[str, Any]:
        """{token}: the page is closed."""
        self.engine.leave(_token(payload))
        return {"ok": True}

    def draw_remotely(self, event: gr.EventData) -> None:
        """{token, request, reference}, queued by the page once for a strip: a remote GPU draws all of it in one call.

        A call that waited while its session came to ask for another strip ends at once; poll counts it as ended, and
        the page asks again for what is still missing.
        """
        payload = event._data if isinstance(event._data, Mapping) else {}
        token = _token(payload)
        try:
            self._draw_remotely(token, *self._page_requests.pair(payload))
        except (ValueError, UnknownSession) as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            with self.engine.lock:
                if session := self.engine.sessions.find(token):
                    session.remote_calls += 1

    # ---- helpers ---------------------------------------------------------------------------------------------

    def _draw_remotely(self, token: str, guided: GridRequest, reference: GridRequest) -> None:
        if not self.engine.is_remote(guided.checkpoint):
            raise ValueError("model must be one that is drawn by a remote GPU")
        demand = demand_of(guided, reference)
        with self.engine.lock:
            latest = self.engine.sessions.get(token).demand.prefetch
        if latest and set(latest) != set(demand.prefetch):
            log.info("remote call outdated request=%s", guided.to_json())
            return
        view = self.engine.set_demand(token, demand.displayed, demand.prefetch)
        there = {frame.request for frame in (*view.frames, *view.prefetched) if frame.done}
        missing = [request for request in dict.fromkeys((*demand.displayed, *demand.prefetch)) if request not in there]
        if not missing:  # another page had the same drawn while this one waited for its turn
            return
        try:
            drawn = self._draw(self.models.find(guided.checkpoint), missing)
            self.engine.deliver(dict(zip(missing, drawn, strict=True)))
        except Exception as error:  # of any kind: sessions that wait are notified
            log.exception("remote call failed")
            self.engine.deliver(dict.fromkeys(missing, f"The pictures could not be drawn: {error}"))

    async def _open(self, raw: Any) -> None:
        """Load the model that a request names, where it is not loaded yet. Raises ValueError."""
        if isinstance(raw, Mapping) and "model" in raw:
            await self.models.open_async(raw["model"])


def _token(payload: Any) -> str:
    token = payload.get("token") if isinstance(payload, Mapping) else None
    return token if isinstance(token, str) else ""
