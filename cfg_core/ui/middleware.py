"""Requests before they reach Gradio: of bounded size, and a 404 where Gradio looks something up without a check."""

import logging
import traceback

from gradio.route_utils import FnIndexInferError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

LARGEST = 2**20
"""Bytes of one request; the page's own have some hundreds."""

TOO_LARGE = f"a request must have at most {LARGEST} bytes, got "

LOOKUPS = ("gradio.routes", "gradio.route_utils", "gradio.queueing", "gradio.blocks", "gradio.state_holder")
"""Where Gradio looks up the component, the function or the session that a request names."""


class RequestGuard:
    """ASGI middleware. Requests that are too large are answered by 413, those for a component or function that Gradio
    does not have by 404. An error of our own is not touched: the server answers 500 and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it."""
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
            while (await receive()).get("more_body"):  # or the sender would not receive the answer
                pass
            await self._refuse(413, TOO_LARGE + length, scope, receive, send)
            return
        try:
            await self._app(scope, bounded, answering)
        except FnIndexInferError:
            if answered:
                raise
            await self._refuse(404, "there is nothing of that name or number here", scope, receive, send)
        except LookupError as error:
            if answered or not looked_up_by_gradio(error):
                raise
            await self._refuse(404, "there is nothing of that name or number here", scope, receive, send)

    async def _refuse(self, status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("refused path=%s status=%d", scope["path"], status, exc_info=log.isEnabledFor(logging.DEBUG))
        await JSONResponse({"error": sentence}, status)(scope, receive, send)


def looked_up_by_gradio(error: BaseException) -> bool:
    """Whether Gradio's own look-up failed, and no function of ours had been called.

    A server function of ours is called by gradio.routes too, so its frames, or those of what it calls, come last.
    """
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = __name__.partition(".")[0]
    called = [name for name in modules if name != __name__ and name.partition(".")[0] == own]
    return not called and modules[-1] in LOOKUPS
