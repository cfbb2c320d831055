"""The API of the page: named endpoints for gradio_client, for plain HTTP, and as MCP tools."""

import asyncio
import time
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from cfg_core.checks import boolean, choice, number, text
from cfg_core.grids.labels import find_classes
from cfg_core.grids.request import SAMPLES_RANGE, SEED_RANGE, STEPS_RANGE, W_RANGE, GridRequest
from cfg_core.guidance.rules import RULES, rules
from cfg_core.parameters import assigned
from cfg_core.serving import zerogpu
from cfg_core.serving.grid_job import Frame
from cfg_core.serving.registry import ModelRegistry
from cfg_core.serving.sessions import SessionView
from cfg_core.ui.api_reply import FORMATS, MAX_W_WITH_STEPS, Reply
from cfg_core.ui.descriptions import describe_rules, describe_samplers


class Api:
    """The endpoints. A request that cannot be served raises gr.Error, with one sentence."""

    def __init__(self, models: ModelRegistry) -> None:
        self._models = models
        self._draw_on_gpu = zerogpu.gpu_draw()

    async def grid(
        self,
        label: str | None = None,
        w: str = "3",
        samples: int = GridRequest.samples,
        seed: int = GridRequest.seed,
        sampler: str = GridRequest.sampler,
        steps: int | None = None,
        rule: str = GridRequest.rule,
        model: str | None = None,
        parameters: str = "",
        format: str = "pixels",
        intermediate: bool = False,
    ) -> dict[str, Any]:
        """Draw guided pictures and wait for them.

        Args:
            label: the class: its name or number, several ("Bag,3"), or "all"; by default the one that the
                model opens on.
            w: the guidance strength of the paper, -1 (unconditional) to 8; the scale of most software is 1 + w. Several
                are separated by commas.
            samples: pictures of each class and w, grown from the same noises: 1 to 64.
            seed: of the noises, 0 to 4294967295.
            sampler: a name that the endpoint models lists, such as dpmpp_2m, ddim, heun or ancestral.
            steps: of the sampler, 1 to 1024; by default its own.
            rule: a name that the endpoint models lists: cfg, or one that needs more of the model, such as classifier.
            model: name or hash, as the endpoint models lists them; by default the first.
            parameters: of the rule and the sampler, each name=value, separated by commas, such as "eta=0.5"; by default
                theirs.
            format: "png" for a labelled sheet to look at, "pixels" for numbers.
            intermediate: whether the pictures on their way are wanted too, as predicted after each evaluation.

        Returns:
            The whole request as the page's address has it, the names of its classes, the shape (w, class, sample, row,
            column, channel), the meters of each w, the seconds, and the pictures: pixels, base64 of uint8, or png,
            base64 of a PNG with the request inside; under steps the same after each evaluation.
        """
        given: dict[str, Any] = {"w": w, "samples": samples, "seed": seed, "sampler": sampler, "rule": rule}
        given |= {name: value for name, value in (("steps", steps), ("model", model)) if value is not None}
        began = time.monotonic()
        try:
            choice("format", format, FORMATS)
            boolean("intermediate", intermediate)
            config = (await self._models.open_async(model) if model is not None else self._first).config
            given["parameters"] = assigned(filter(None, text("parameters", parameters).split(",")))
            if label is not None:
                given["class"] = find_classes(label, config.classes)
            request = self._models.request(given)
            self._models.engine.limits.check_api(request)
            if intermediate:
                number("w with intermediate", len(request.w), 1, MAX_W_WITH_STEPS, whole=True)
            frames = await self._draw([replace(request, w=(each,)) for each in request.w])
            reply = Reply(request, config.classes, frames, time.monotonic() - began)
            return await asyncio.to_thread(reply.to_json, format, intermediate)
        except (ValueError, RuntimeError) as error:
            raise gr.Error(str(error), print_exception=False) from error

    def models(self) -> dict[str, Any]:
        """What there is to draw with: models, guidance rules and samplers with their parameters, limits.

        Returns:
            models: name, title, hash, classes, the class that it opens on, a few words about it, and the rules that it
            can be drawn with, null for a model that has not been drawn with yet. rules and samplers: name, title and
            parameters, each with its range and default. limits: lowest and highest value of what a call of grid may
            ask for.
        """
        return {
            "models": [
                {
                    "name": each.name,
                    "title": each.title,
                    "hash": each.hash,
                    "classes": each.config.classes,
                    "opens_on": each.config.classes[each.config.opening_label],
                    "about": each.config.about,
                    "rules": self._rules(each.hash),
                }
                for each in self._models.available
            ],
            "rules": describe_rules(RULES),
            "samplers": describe_samplers(),
            "limits": self._limits(),
        }

    def stats(self) -> dict[str, Any]:
        """The engine's statistics: sessions, queue, evaluations a second, cache, seconds to the first picture."""
        return asdict(self._models.engine.stats())

    # ---- helpers ----------------------------------------------------------------------------------------------------

    @property
    def _first(self) -> Any:
        return self._models.engine.checkpoint

    def _rules(self, digest: str) -> list[str] | None:
        checkpoint = self._models.engine.checkpoints.get(digest)
        return list(rules(checkpoint.denoiser)) if checkpoint else None

    def _limits(self) -> dict[str, Any]:
        limits = self._models.engine.limits
        return {
            "w": W_RANGE,
            "samples": SAMPLES_RANGE,
            "steps": (STEPS_RANGE[0], limits.steps),
            "seed": SEED_RANGE,
            "classes × w × samples": (1, limits.pictures),
            "pictures × evaluations": (1, min(limits.work, limits.api_work)),
            "w with intermediate": (1, MAX_W_WITH_STEPS),
        }

    async def _draw(self, requests: list[GridRequest]) -> list[list[Frame]]:
        """The frames of each grid, the finished one last, with the progress told to the caller."""
        engine = self._models.engine
        if engine.is_remote(requests[0].checkpoint):
            info = self._models.find(requests[0].checkpoint)
            drawn = await asyncio.to_thread(self._draw_on_gpu, info, requests)
            return [[Frame(each, 0, each.evaluations, pixels)] for each, pixels in zip(requests, drawn, strict=True)]
        progress, total = gr.Progress(), sum(each.evaluations for each in requests)

        def tell(view: SessionView) -> None:
            done = sum(frame.evaluations for frame in view.frames)
            waits = f"{view.ahead} others are drawn first" if view.ahead and not done else "denoising"
            progress((done, total), desc=waits, unit="evaluations")

        return await engine.denoisings(requests, tell)
