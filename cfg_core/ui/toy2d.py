"""The 2-D lab tab: three classes of Gaussians, samples of one, and how far these are from the tilted density."""

import asyncio
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from cfg_core.toy2d.drawing import DRAWN, Drawing, Wanted, draw_scene, executor
from cfg_core.toy2d.scene import CLASSES, MEASURED, PARAMETERS, REACH, RULES, SPREAD, Scene
from cfg_core.toy2d.trajectory import ARROWS, Trajectory, draw_trajectory
from cfg_core.ui.client_address import client_address
from cfg_core.ui.component import component, encoded
from cfg_core.ui.descriptions import describe_rules, describe_samplers
from cfg_core.ui.turns import Full, Turns

T = TypeVar("T", Drawing, Trajectory)

QUEUE, OF_ADDRESS = 64, 48
"""Scenes that may wait to be drawn, in all and of one address; more are refused."""

PATH_STEPS = 2**15 - 1
"""Steps from the middle of the displayed square to its rim in which the coordinates of trajectories are sent."""


class Toy2d:
    """The server functions of assets/toy2d: ``restore`` once, then ``draw``, and ``trajectory`` to play the sampling.

    All take one JSON object and return one; an invalid one is answered by a sentence in ``error``.
    """

    def __init__(self) -> None:
        self._turns = Turns(DRAWN, QUEUE, OF_ADDRESS)

    def render(self) -> gr.HTML:
        """The component."""

        def restore(payload: Any) -> dict[str, Any]:
            return self.restore(payload)

        async def draw(payload: Any, request: gr.Request) -> dict[str, Any]:
            return await self.draw(payload, client_address(request))

        async def trajectory(payload: Any, request: gr.Request) -> dict[str, Any]:
            return await self.trajectory(payload, client_address(request))

        return component(
            "toy2d",
            restore,
            draw,
            trajectory,
            DEFAULT=Scene().to_json(),
            CLASSES=CLASSES,
            OFFER={"rules": describe_rules(RULES), "samplers": describe_samplers()},
            SPREAD=SPREAD,
            REACH=REACH,
            MEASURED=MEASURED,
            PATH_STEPS=PATH_STEPS,
            ARROWS=ARROWS,
        )

    def restore(self, payload: Any) -> dict[str, Any]:
        """The fields of a link → their scene; an invalid field takes its default, and a message names it."""
        given = dict(payload) if isinstance(payload, Mapping) else {}
        problems: dict[str, str] = {}
        chosen: dict[str, Any] = {}  # the rule and the sampler, on which it depends which parameters there are
        together = [name for name in ("means", "owners") if name in given]
        alone = sorted((name for name in given if name not in together), key=lambda name: name in PARAMETERS)
        for names in [*([name] for name in alone), *([together] if together else [])]:
            fields = {name: given[name] for name in names}
            if problem := _problem({**chosen, **fields}):
                problems |= dict.fromkeys(names, problem)
            else:
                chosen |= {name: value for name, value in fields.items() if name in ("rule", "sampler")}
        scene = Scene.parse({name: value for name, value in given.items() if name not in problems})
        notice = f"In this link, {'; '.join(dict.fromkeys(problems.values()))}." if problems else ""
        return {"ok": True, "scene": scene.to_json(), "notice": notice}

    async def draw(self, payload: Any, address: str = "") -> dict[str, Any]:
        """A scene → its samples, exact draws, how far both are from the tilted density, and the displayed density.

        ``busy`` where the page must ask again later. address: of whoever asks; addresses take turns.
        """

        def described(drawn: Drawing) -> dict[str, Any]:
            return {
                "points": _packed(drawn.points, np.float32),
                "exact": _packed(drawn.exact, np.float32),
                "distance": drawn.distance,
                "baseline": drawn.exact_distance,
                "heat": _packed(255 * drawn.density, np.uint8),
                "half": drawn.half,
                "effective": drawn.effective,
                "beside": dict(drawn.beside),
            }

        return await self._answer(payload, address, draw_scene, described)

    async def trajectory(self, payload: Any, address: str = "") -> dict[str, Any]:
        """A scene → its trajectories: at each λ, the samples' positions, the displayed density, the guided score."""

        def described(trajectory: Trajectory) -> dict[str, Any]:
            positions = (PATH_STEPS * trajectory.paths / trajectory.half).round().clip(-PATH_STEPS, PATH_STEPS)
            longest = np.linalg.norm(trajectory.score, axis=2).max(1)[:, None, None]
            return {
                "half": trajectory.half,
                "log_snrs": [level if math.isfinite(level) else None for level in trajectory.log_snrs.tolist()],
                "paths": _packed(positions, np.int16),
                "heat": _packed(255 * trajectory.density, np.uint8),
                "score": _packed(127 * trajectory.score / longest, np.int8),
            }

        return await self._answer(payload, address, draw_trajectory, described)

    async def _answer(
        self,
        payload: Any,
        address: str,
        compute: Callable[[Scene, Wanted], T],
        describe: Callable[[T], dict[str, Any]],
    ) -> dict[str, Any]:
        """A drawing in turn, given up at its next step when whoever asked hangs up, which cancels this."""
        try:
            scene = Scene.parse(payload)
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        given_up = threading.Event()
        try:
            async with self._turns.turn(address):
                found = await asyncio.wrap_future(executor().submit(compute, scene, lambda: not given_up.is_set()))
        except Full as full:
            sentence = f"The 2-D lab is full: {full} drawings wait. Please try again in a moment."
            return {"ok": False, "busy": True, "error": sentence}
        finally:
            given_up.set()
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
