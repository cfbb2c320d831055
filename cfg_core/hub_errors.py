"""What the Hub, or the way to it, does wrong, told in one sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

KINDS = {
    "GatedRepoError": "it is gated: ask for access on its page on the Hub, then run hf auth login",
    "RepositoryNotFoundError": (
        "there is no repository of that name on the Hub, or it is private: if it is yours, run hf auth login"
    ),
    "RevisionNotFoundError": "it has no revision {revision}",
    "RemoteEntryNotFoundError": "it has no file {file}",
    "OfflineModeIsEnabled": "the Hub is not asked, because HF_HUB_OFFLINE is set",
    "TimeoutException": "the Hub did not answer in time",
    "ConnectError": "the Hub cannot be reached from here",
    "TransportError": "the connection to the Hub broke off",
}
"""Exceptions of huggingface_hub and its HTTP library → why. By name: which library that is depends on the release."""


STATUSES = {
    401: "the Hub does not know who you are: run hf auth login, or set HF_TOKEN",
    403: "the Hub does not allow it, to you or to your token",
    429: "the Hub has had too many requests from here: try again later",
}


ASKED = re.compile(r"/(?:resolve|revision|tree)/(?P<revision>[^/?]+)(?:/(?P<file>[^?]+))?")
"""What of a repository an address is about."""


class RemoteError(OSError):
    """Something that could not be had from elsewhere; the message is one sentence."""


@contextmanager
def explained(what: str, kind: type[Exception] = RemoteError) -> Iterator[None]:
    """Whatever goes wrong inside becomes an exception of this kind: what, and then why. That kind itself passes."""
    try:
        yield
    except Exception as error:
        if isinstance(error, kind):
            raise
        raise kind(f"{what}: {_why(error)}") from error


def _why(error: Exception) -> str:
    """The reason that the exception, or the first of its causes that can, gives; otherwise its own first line."""
    cause: BaseException | None = error
    while cause is not None:
        if reason := _reason(cause):
            return reason
        cause = cause.__cause__
    return _first_line(str(error)) or type(error).__name__


def _reason(error: BaseException) -> str | None:
    kind = next((KINDS[each.__name__] for each in type(error).__mro__ if each.__name__ in KINDS), None)
    response: Any = getattr(error, "response", None)
    if response is None:
        return kind
    status = response.status_code
    if status == 401 and response.request.method == "POST":
        return STATUSES[401]  # huggingface_hub takes it for a repository that is not there, as it is on reading
    if kind:
        asked = ASKED.search(str(response.url))
        named = {name: unquote(text) for name, text in (asked.groupdict() if asked else {}).items() if text}
        return kind.format(**{"revision": "of that name", "file": "of that name", **named})
    if status >= 500:
        return f"the Hub is out of order, it answers {status}: try again later"
    said = _first_line(getattr(error, "server_message", None) or "")
    return STATUSES.get(status, f"the Hub refuses it with {status}, {said or 'without a reason'}")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
