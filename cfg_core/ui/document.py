"""Gradio's document, with the page's words in the reader's language; where a network loses some of it or of its files,
they are loaded again, and kept once they have arrived."""

from pathlib import PurePosixPath

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cfg_core.ui.languages import chosen_language, words_script
from cfg_core.ui.scripts import FOREVER, inline

HEAD, OURS = b"<head>", b"<gradio-app"


class WholeDocument:
    """ASGI middleware. Puts assets/inline/document.js and the words at the head of Gradio's document, and lets browsers
    keep Gradio's own files, whose names change with their content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._script = b"<script>" + inline("document").encode() + b"</script>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held: Message | None = None  # the start of an HTML document, until its body is here
        body = b""

        async def answering(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                if PurePosixPath(scope["path"]).parent.name == "assets" and message["status"] == 200:
                    headers["cache-control"] = FOREVER
                if headers.get("content-type", "").startswith("text/html"):
                    held = message
                    return
            elif held:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                whole = self._completed(body, scope) if OURS in body else body
                headers = MutableHeaders(raw=held["headers"])
                headers["content-length"] = str(len(whole))
                headers.add_vary_header("Accept-Language")
                await send(held)
                message = {**message, "body": whole}
            await send(message)

        await self._app(scope, receive, answering)

    def _completed(self, body: bytes, scope: Scope) -> bytes:
        """The document with the script and the words."""
        wanted = QueryParams(scope["query_string"]).get("lang", "")
        language = chosen_language(wanted, Headers(scope=scope).get("accept-language", ""))
        return body.replace(HEAD, HEAD + self._script + words_script(language).encode(), 1)
