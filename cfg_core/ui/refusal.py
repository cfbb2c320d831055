"""A request that is answered by a status and one sentence."""

import logging

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)


class Refused(Exception):
    """Why a request is not answered otherwise. status: of HTTP."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and log one line."""
        log.warning("refused path=%.60s status=%d: %s", scope["path"], self.status, self)
        await JSONResponse({"error": str(self)}, self.status)(scope, receive, send)


async def without_input(request: Request, error: Exception) -> JSONResponse:
    """The answer to fields of the wrong kind. FastAPI's own repeats what was given, and breaks where that is NaN."""
    assert isinstance(error, RequestValidationError)
    detail = [{field: each[field] for field in ("type", "loc", "msg")} for each in error.errors()[:1]]
    sentence = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in detail)
    log.warning("refused path=%.60s status=422: %.200s", request.url.path, sentence)
    return JSONResponse({"error": sentence, "detail": detail}, 422)
