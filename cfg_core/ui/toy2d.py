"""The 2-D lab tab: three Gaussians, the samples of one of them, and how far these are from the tilted density."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.toy2d.drawing import Drawing, draw_scene, executor
from cfg_core.toy2d.scene import CLASSES, MEASURED, REACH, RULES, SPREAD, VIEW, Scene
from cfg_core.toy2d.trajectory import ARROWS, Trajectory, draw_trajectory
from cfg_core.ui.component import component, encoded

T = TypeVar("T", Drawing, Trajectory)

QUEUE = 64
"""Scenes that may wait to be drawn; more are refused."""

PATH_UNIT = 1 / 4096
"""Unit of the coordinates of trajectories, 16 bits each: ±8 in steps far below a pixel."""


class Toy2d:
    """The server functions of assets/toy2d: ``restore`` once, then ``draw``, and ``trajectory`` to play the sampling.

    All take one JSON object and return one; an invalid one is answered by a sentence in ``error``.
    """

    def __init__(self) -> None:
        self._waiting = 0

    def render(self) -> gr.HTML:
        """The component."""

        def restore(payload: Any) -> dict[str, Any]:
            return self.restore(payload)

        async def draw(payload: Any) -> dict[str, Any]:
            return await self.draw(payload)

        async def trajectory(payload: Any) -> dict[str, Any]:
            return await self.trajectory(payload)

        return component(
            "toy2d",
            restore,
            draw,
            trajectory,
            DEFAULT=Scene().to_json(),
            CLASSES=CLASSES,
            SAMPLERS={name: sampler.title for name, sampler in SAMPLERS.items()},
            RULES={name: rule.title for name, rule in RULES.items()},
            FORMULAS={name: rule.formula for name, rule in RULES.items()},
            SPREAD=SPREAD,
            REACH=REACH,
            VIEW=VIEW,
            MEASURED=MEASURED,
            PATH_UNIT=PATH_UNIT,
            ARROWS=ARROWS,
        )

    def restore(self, payload: Any) -> dict[str, Any]:
        """The fields of a link → their scene; an invalid field takes its default, and a message names it."""
        given = dict(payload) if isinstance(payload, Mapping) else {}
        problems = {name: problem for name, value in given.items() if (problem := _problem({name: value}))}
        scene = Scene.parse({name: value for name, value in given.items() if name not in problems})
        notice = f"In this link, {'; '.join(problems.values())}." if problems else ""
        return {"ok": True, "scene": scene.to_json(), "notice": notice}

    async def draw(self, payload: Any) -> dict[str, Any]:
        """A scene → its samples, exact draws, how far both are from the tilted density, and the displayed density.

        ``busy`` where the page must ask again later.
        """

        def described(drawn: Drawing) -> dict[str, Any]:
            return {
                "points": _packed(drawn.points, np.float32),
                "exact": _packed(drawn.exact, np.float32),
                "distance": drawn.distance,
                "baseline": drawn.exact_distance,
                "heat": _packed(255 * drawn.density, np.uint8),
            }

        return await self._answer(payload, draw_scene, described)

    async def trajectory(self, payload: Any) -> dict[str, Any]:
        """A scene → its trajectories: at each λ, the samples' positions, the displayed density, the guided score."""

        def described(trajectory: Trajectory) -> dict[str, Any]:
            positions = (trajectory.paths / PATH_UNIT).round().clip(-(2**15), 2**15 - 1)
            longest = np.linalg.norm(trajectory.score, axis=2).max(1)[:, None, None]
            return {
                "log_snrs": [level if math.isfinite(level) else None for level in trajectory.log_snrs.tolist()],
                "paths": _packed(positions, np.int16),
                "heat": _packed(255 * trajectory.density, np.uint8),
                "score": _packed(127 * trajectory.score / longest, np.int8),
            }

        return await self._answer(payload, draw_trajectory, described)

    async def _answer(
        self, payload: Any, compute: Callable[[Scene], T], describe: Callable[[T], dict[str, Any]]
    ) -> dict[str, Any]:
        try:
            scene = Scene.parse(payload)
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        if self._waiting >= QUEUE:
            return {
                "ok": False,
                "busy": True,
                "error": f"The 2-D lab is full: {QUEUE} drawings wait. Please try again in a moment.",
            }
        self._waiting += 1
        try:
            found = await asyncio.wrap_future(executor().submit(compute, scene))
        finally:
            self._waiting -= 1
        return {"ok": True, "scene": scene.to_json(), **describe(found)}


def _problem(fields: Mapping[str, Any]) -> str:
    """What is wrong with these fields of a scene, or nothing."""
    try:
        Scene.parse(fields)
    except ValueError as error:
        return str(error)
    return ""


def _packed(values: NDArray[Any], kind: type[np.generic]) -> str:
    return encoded(values.astype(kind).tobytes())
