"""Requests before they reach Gradio: allowed ones only, whole, in bounds; ended when their sender hangs up."""

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import anyio
from gradio.route_utils import FnIndexInferError
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cfg_core.ui import call_queue
from cfg_core.ui.allowed_routes import CANCEL, REPLY, STREAM, allowed_route
from cfg_core.ui.call_queue import CallQueue
from cfg_core.ui.client_address import client_address
from cfg_core.ui.refusal import Refused
from cfg_core.ui.request_body import HungUp, parse_body, read_body

log = logging.getLogger(__name__)

OF_ADDRESS = 256
"""Requests of one address in progress; the pages of a class of a hundred, which share one, have as many."""

OF_THE_REQUEST = (LookupError, FnIndexInferError, TypeError, ValueError, AttributeError, AssertionError, RecursionError)
"""What Gradio raises for a request that names nothing of the page, or has a field of the wrong kind."""

NOT_HERE = "there is nothing of that name or number here"
NO_CALL = "there is no call here whose reply is still to be taken"

SHARE = "guidance_lab.share"
"""Where the scope of a request has what ends its part of its address's share."""

OURS = __name__.partition(".")[0] + "."


class RequestGuard:
    """ASGI middleware. What is refused gets a status and one sentence, and so does what Gradio cannot read. An error of
    our own is not touched: the server answers 500 and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._in_progress: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            try:
                with self._share(client_address(HTTPConnection(scope))) as release:
                    scope[SHARE] = release
                    await self._pass_on(scope, receive, send)
            except Refused as refused:
                await refused.answer(scope, receive, send)
            except HungUp:
                pass

    @contextmanager
    def _share(self, address: str) -> Iterator[Callable[[], None]]:
        """Count a request of that address while it is in progress, or until what is yielded is called; may raise
        Refused."""
        if self._in_progress[address] >= OF_ADDRESS:
            raise Refused(429, f"{OF_ADDRESS} requests of your address are in progress; please try again in a moment")
        self._in_progress[address] += 1
        with ExitStack() as counted:
            counted.callback(self._end, address)
            yield counted.close

    def _end(self, address: str) -> None:
        self._in_progress[address] -= 1
        if not self._in_progress[address]:
            del self._in_progress[address]

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, parameters = allowed_route(scope)
        body = await read_body(scope, receive)
        fields = parse_body(body)
        queue: CallQueue = scope["app"].get_blocks()._queue
        if path == CANCEL:
            event_id = fields.get("event_id") if isinstance(fields, dict) else None
            if not queue.is_listened(queue.session_of(event_id)):
                raise Refused(404, NO_CALL)
        if path not in (STREAM, REPLY):
            await self._answer(scope, body, receive, send)
            return
        session = _session(scope) if path == STREAM else queue.session_of(parameters["event_id"])
        if not queue.listen(session):
            raise Refused(404, NO_CALL)
        to_the_end = False
        try:
            to_the_end = await self._answer(scope, body, receive, send)
        finally:
            queue.listened(session, to_the_end=to_the_end)

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> bool:
        """Have a request answered, or give it up as soon as its sender hangs up; returns whether it was answered."""
        started = finished = False
        failure: Exception | None = None
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_whole() -> Message:
            if unread:
                return unread.pop()
            await anyio.sleep_forever()
            raise AssertionError

        async def sending(message: Message) -> None:
            nonlocal started, finished
            started = True
            finished = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                if not finished:
                    tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            try:
                await self._app(scope, receive_whole, sending)
            except Exception as error:
                failure = error
            tasks.cancel_scope.cancel()
        if failure:
            if called_ours(failure) or not isinstance(failure, OF_THE_REQUEST):
                raise failure
            kind = 404 if isinstance(failure, (LookupError, FnIndexInferError)) else 400
            why = str(failure).partition(". ")[0]  # Gradio's next sentences are of a page that is not offered here
            refused = Refused(kind, NOT_HERE if kind == 404 else f"this is no request that can be answered ({why})")
            if not started:
                raise refused from failure
            log.warning("cut off path=%.60s: %s", scope["path"], refused)
        return finished


def release_share(scope: Scope) -> None:
    """A request that is bounded in another way counts towards its address's share no longer."""
    scope[SHARE]()


def called_ours(error: BaseException) -> bool:
    """Whether a function of ours had been called when an error was raised, and not only this part of the server."""
    names = {frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)}
    return any(name.startswith(OURS) for name in names - {__name__, call_queue.__name__})


def _session(scope: Scope) -> str:
    return QueryParams(scope["query_string"]).get("session_hash", "")
