"""What strangers send, before it reaches Gradio: of bounded size, and a sentence where Gradio would fail."""

import logging

from gradio.route_utils import FnIndexInferError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

LARGEST = 2**20
"""Bytes of one request; the page's own have some hundreds."""

TOO_LARGE = f"a request must have at most {LARGEST} bytes, got "


class Door:
    """ASGI middleware. Requests that are too large are answered by 413, those for what is not there by 404."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken, answered = 0, False

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST:
                raise HTTPException(413, f"{TOO_LARGE}more")
            return message

        async def answering(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        if (length := Headers(scope=scope).get("content-length", "0")).isdigit() and int(length) > LARGEST:
            while (await receive()).get("more_body"):  # or the sender would not hear the answer
                pass
            await self._refuse(413, TOO_LARGE + length, scope, receive, send)
            return
        try:
            await self._app(scope, bounded, answering)
        except (LookupError, FnIndexInferError):  # Gradio looks for what it is asked for without a check
            if answered:
                raise
            await self._refuse(404, "there is nothing of that name or number here", scope, receive, send)

    async def _refuse(self, status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("refused path=%s status=%d", scope["path"], status, exc_info=log.isEnabledFor(logging.DEBUG))
        await JSONResponse({"error": sentence}, status)(scope, receive, send)
