"""The API of the page: named endpoints for gradio_client, for plain HTTP, and as MCP tools."""

import asyncio
from dataclasses import asdict
from typing import Any

import gradio as gr

from cfg_core.checks import text
from cfg_core.grids.request import GridRequest
from cfg_core.parameters import assigned
from cfg_core.serving import zerogpu
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.component import encoded


class Api:
    """The endpoints. A request that cannot be served raises gr.Error, with one sentence."""

    def __init__(self, models: ModelRegistry) -> None:
        self._models = models
        self._draw_on_gpu = zerogpu.gpu_draw()

    async def grid(
        self,
        label: str = "0",
        w: str = "3",
        samples: int = GridRequest.samples,
        seed: int = GridRequest.seed,
        sampler: str = GridRequest.sampler,
        steps: int | None = None,
        rule: str = GridRequest.rule,
        model: str | None = None,
        parameters: str = "",
    ) -> dict[str, Any]:
        """Draw guided pictures and wait for them.

        Args:
            label: the class: its number, several ("0,3"), or "all".
            w: the guidance strength of the paper, -1 (unconditional) to 8; the scale of most software is 1 + w. Several
                are separated by commas.
            samples: pictures of each class and w, grown from the same noises: 1 to 64.
            seed: of the noises, 0 to 4294967295.
            sampler: dpmpp_2m, dpmpp_2m_sde, ddim, heun or ancestral.
            steps: of the sampler, 1 to 1024; by default its own.
            rule: cfg, or one that needs more of the model, such as classifier.
            model: name or hash, as the endpoint models lists them; by default the first.
            parameters: of the rule and the sampler, each name=value, separated by commas, such as "eta=0.5"; by default
                theirs.

        Returns:
            The whole request as the page's address has it, the shape (w, class, sample, row, column, channel), and the
            pixels, base64 of uint8.
        """
        given = {"class": label, "w": w, "samples": samples, "seed": seed, "sampler": sampler, "rule": rule}
        given |= {name: value for name, value in (("steps", steps), ("model", model)) if value is not None}
        try:
            if model is not None:
                await self._models.open_async(model)
            request = self._models.request(
                {**given, "parameters": assigned(filter(None, text("parameters", parameters).split(",")))}
            )
            self._models.engine.limits.check_api(request)
            if self._models.engine.is_remote(request.checkpoint):
                info = self._models.find(request.checkpoint)
                [pixels] = await asyncio.to_thread(self._draw_on_gpu, info, [request])
            else:
                pixels = await self._models.engine.draw_async(request)
        except (ValueError, RuntimeError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        classes = len(self._models.engine.checkpoints[request.checkpoint].config.classes)
        return {
            "request": request.to_query(classes),
            "shape": list(pixels.shape),
            "pixels": encoded(pixels.tobytes()),
        }

    def models(self) -> list[dict[str, Any]]:
        """The available models: name, hash, classes, and a few words about each."""
        return [
            {"name": each.name, "hash": each.hash, "classes": each.config.classes, "about": each.config.about}
            for each in self._models.available
        ]

    def stats(self) -> dict[str, Any]:
        """The engine's statistics: sessions, queue, evaluations a second, cache, seconds to the first picture."""
        return asdict(self._models.engine.stats())
