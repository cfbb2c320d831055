"""The tab "Inside a step": one sample at one step of its sampler, what is predicted with the class and without it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import gradio as gr
import numpy as np

from cfg_core.checks import choice, number
from cfg_core.grids.request import W_RANGE, GridRequest
from cfg_core.grids.trajectory import Trajectory
from cfg_core.guidance.rules import RULES
from cfg_core.guidance.rules.interval import HIGH, LOW
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.admission import ServiceFull
from cfg_core.serving.registry import ModelRegistry
from cfg_core.serving.trajectories import Progress, Trajectories
from cfg_core.ui.component import component, encoded
from cfg_core.ui.requests import PageRequests

CHUNK = 2**19
"""Bytes of parts that one call returns, but at least one step."""

VIEWS = ("x", "eps")
"""What the pictures show: predictions of the clean sample or of the noise."""


class Step:
    """The server functions of assets/step: ``read`` once for a request, ``parts`` for the pictures of a sample,
    ``guided`` where the rule is not linear.

    All take one JSON object and return one; an invalid one is answered by a sentence in ``error``, with ``busy`` where
    the page may ask again later, and one whose steps are still being drawn by ``waiting`` and how far that is.
    """

    def __init__(self, models: ModelRegistry) -> None:
        self._models = models
        self._requests = PageRequests(models)
        self._trajectories = Trajectories()

    def render(self) -> gr.HTML:
        """The component."""

        async def read(payload: Any) -> dict[str, Any]:
            return await self.read(payload)

        async def parts(payload: Any) -> dict[str, Any]:
            return await self.parts(payload)

        async def guided(payload: Any) -> dict[str, Any]:
            return await self.guided(payload)

        return component("step", read, parts, guided, W_RANGE=W_RANGE)

    async def read(self, payload: Any) -> dict[str, Any]:
        """{request, link: {sample, step, step_w, step_view}} → what there is to see, and where the link is, with a
        sentence where a field of it is invalid and takes its default. Samples and steps count from 1."""

        async def answer(trajectory: Trajectory) -> dict[str, Any]:
            request, values = trajectory.request, dict(trajectory.request.parameters)
            config = self._models.engine.checkpoints[request.checkpoint].config
            ends = [values[end.name] for end in (LOW, HIGH) if end.name in values]
            link = payload.get("link")
            place, notice = _place(trajectory, link if isinstance(link, Mapping) else {})
            return {
                "request": self._requests.fields(request),
                "class": config.classes[request.classes[0]],
                "rule": RULES[request.rule].title,
                "formula": RULES[request.rule].formula,
                "linear": RULES[request.rule].linear,
                "sampler": SAMPLERS[request.sampler].title,
                "shape": list(trajectory.samples.shape[1:]),
                "log_snrs": trajectory.log_snrs.tolist(),
                "acts": list(trajectory.acts),
                "interval": ends or None,
                "norms": {"x": encoded(trajectory.norms_x.tobytes()), "eps": encoded(trajectory.norms_eps.tobytes())},
                "samples": encoded(trajectory.samples.tobytes()),
                "chunk": _chunk(trajectory),
                "place": place,
                "notice": notice,
            }

        return await self._answer(payload, answer)

    async def parts(self, payload: Any) -> dict[str, Any]:
        """{request, sample, chunk} → z, v(z, c) and v(z, ∅) of a sample at the steps of a chunk, float32."""

        async def answer(trajectory: Trajectory) -> dict[str, Any]:
            sample, steps = _sample(payload, trajectory), _chunk(trajectory)
            last = (len(trajectory.log_snrs) - 1) // steps
            first = steps * number("chunk", payload.get("chunk"), 0, last, whole=True)
            return {"parts": encoded(trajectory.parts[sample, first : first + steps].tobytes())}

        return await self._answer(payload, answer)

    async def guided(self, payload: Any) -> dict[str, Any]:
        """{request, sample, step, w} → x̃ and ε̃ of a sample at a step, float32, guided with strength w."""

        async def answer(trajectory: Trajectory) -> dict[str, Any]:
            sample = _sample(payload, trajectory)
            step = number("step", payload.get("step"), 1, len(trajectory.log_snrs), whole=True) - 1
            w = number("w", payload.get("w"), *W_RANGE)
            denoiser = self._models.engine.checkpoints[trajectory.request.checkpoint].denoiser
            x, eps = await self._trajectories.guided(denoiser, trajectory, sample, step, w)
            return {"x": encoded(x.tobytes()), "eps": encoded(eps.tobytes())}

        return await self._answer(payload, answer)

    # ---- helpers ---------------------------------------------------------------------------------------------

    async def _answer(self, payload: Any, answer: Callable[[Trajectory], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        try:
            request = await self._request(payload)
            denoiser = self._models.engine.checkpoints[request.checkpoint].denoiser
            found = await self._trajectories.find(denoiser, request)
            if isinstance(found, Progress):
                return {"ok": True, "waiting": True, **asdict(found)}
            return {"ok": True, **await answer(found)}
        except ServiceFull as error:
            return {"ok": False, "busy": True, "error": str(error)}
        except (ValueError, RuntimeError) as error:
            return {"ok": False, "error": str(error)}

    async def _request(self, payload: Any) -> GridRequest:
        """The request of a payload, its model loaded. Raises ValueError."""
        raw = payload.get("request") if isinstance(payload, Mapping) else None
        if not isinstance(raw, Mapping):
            raise ValueError("a call must be an object with request")
        if "model" in raw:
            await self._models.open_async(raw["model"])
        request = self._requests.parse(raw)
        if len(request.classes) != 1:
            raise ValueError(f"class must be one label here, got {len(request.classes)} labels")
        if self._models.engine.is_remote(request.checkpoint):
            raise ValueError(f"model must be one that is drawn here, got {request.checkpoint}")
        return request


def _chunk(trajectory: Trajectory) -> int:
    """Steps of one chunk of a sample's parts."""
    return max(1, CHUNK // trajectory.parts[0, 0].nbytes)


def _sample(payload: Mapping[str, Any], trajectory: Trajectory) -> int:
    """The sample of a payload, from 0. Raises ValueError."""
    return number("sample", payload.get("sample"), 1, len(trajectory.parts), whole=True) - 1


def _place(trajectory: Trajectory, link: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Where a link is: sample, step, w and view, and a sentence about its invalid fields.

    By default the first sample, at the last step where the class makes half of its largest difference, at the w that
    the sample is drawn with.
    """
    problems = []

    def take(field: str, default: Any, check: Callable[[str, Any], Any]) -> Any:
        try:
            return check(field, link[field]) if field in link else default
        except ValueError as error:
            problems.append(str(error))
            return default

    steps, samples = trajectory.norms_x.shape
    sample = take("sample", 1, lambda field, value: number(field, value, 1, samples, whole=True))
    norms = trajectory.norms_x[:, sample - 1]
    usual = int(np.flatnonzero(norms >= norms.max() / 2)[-1]) + 1
    place = {
        "sample": sample,
        "step": take("step", usual, lambda field, value: number(field, value, 1, steps, whole=True)),
        "w": take("step_w", trajectory.request.w[0], lambda field, value: number(field, value, *W_RANGE)),
        "view": take("step_view", VIEWS[0], lambda field, value: choice(field, value, VIEWS)),
    }
    return place, f"In this link, {'; '.join(problems)}." if problems else ""
