"""The pictures of the class rail: one of every class, shipped with the app or drawn in the background once."""

import asyncio
import logging

from cfg_core.grids.ladder import rail
from cfg_core.grids.request import GridRequest
from cfg_core.serving.engine import Engine
from cfg_core.ui.component import encoded

log = logging.getLogger(__name__)

MAX_PICTURES_OF_RAIL = 24
"""Up to so many classes the rail shows a picture of each, of more their names, to be searched."""


class Rails:
    """The rails of all models, by hash."""

    def __init__(self, engine: Engine) -> None:
        """Draws that of the engine's first model before it returns, unless it ships."""
        self._engine = engine
        self._pictures: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        first = engine.checkpoint.hash
        if not self._shipped(first) and self.pictured(first):
            self._pictures[first] = encoded(engine.draw(self._request(first)).tobytes())

    def pictured(self, digest: str) -> bool:
        """Whether a model's rail has pictures: it has few classes, and is drawn here."""
        classes = len(self._engine.checkpoints[digest].config.classes)
        return classes <= min(MAX_PICTURES_OF_RAIL, self._engine.limits.pictures) and not self._engine.is_remote(digest)

    def pictures(self, digest: str) -> str:
        """The pictures in base64, or "" where they are not drawn; then they are being drawn from now on."""
        if self._shipped(digest):
            return self._pictures[digest]
        if digest not in self._tasks and self.pictured(digest):
            task = asyncio.create_task(self._draw(digest))
            task.add_done_callback(lambda _: self._tasks.pop(digest, None))
            self._tasks[digest] = task
        return self._pictures.get(digest, "")

    async def wait(self, digest: str, seconds: float) -> str:
        """The same, after a while if they are being drawn."""
        if not self.pictures(digest) and (task := self._tasks.get(digest)):
            await asyncio.wait([task], timeout=seconds)
        return self._pictures.get(digest, "")

    def _request(self, digest: str) -> GridRequest:
        return rail(digest, len(self._engine.checkpoints[digest].config.classes))

    def _shipped(self, digest: str) -> bool:
        """Whether the pictures are there, if need be from those that ship with the app."""
        if digest not in self._pictures and self.pictured(digest):
            with self._engine.lock:
                job = self._engine.cache.precomputed(self._request(digest))
            if job and job.frame.pixels is not None:
                self._pictures[digest] = encoded(job.frame.pixels.tobytes())
        return digest in self._pictures

    async def _draw(self, digest: str) -> None:
        """In a session of its own, which takes no place; no thread waits for it."""
        try:
            pixels = await self._engine.draw_async(self._request(digest))
        except RuntimeError as error:  # the next request tries again
            log.warning("rail not drawn model=%s error=%s", digest, error)
        else:
            self._pictures[digest] = encoded(pixels.tobytes())
