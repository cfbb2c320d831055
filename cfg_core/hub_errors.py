"""Errors of the Hub and of the connection to it, each explained in one sentence."""

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
"""Exception of huggingface_hub or its HTTP library → reason. By class name: the library depends on the release."""


STATUSES = {
    401: "the Hub does not know who you are: run hf auth login, or set HF_TOKEN",
    403: "the Hub does not allow it, to you or to your token",
    429: "the Hub has had too many requests from here: try again later",
}


ADDRESS = re.compile(r"/(?:resolve|revision|tree)/(?P<revision>[^/?]+)(?:/(?P<file>[^?]+))?")
"""Revision and file in the address of a request."""


class RemoteError(OSError):
    """A file or repository could not be fetched from a remote server; the message is one sentence."""


@contextmanager
def explained(what: str, kind: type[Exception] = RemoteError) -> Iterator[None]:
    """Any exception inside becomes one of ``kind`` with the message "what: reason"; that kind itself is not changed."""
    try:
        yield
    except Exception as error:
        if isinstance(error, kind):
            raise
        raise kind(f"{what}: {_why(error)}") from error


def _why(error: Exception) -> str:
    """The reason of the exception or of the first of its causes that has one; otherwise its message's first line."""
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
        address = ADDRESS.search(str(response.url))
        named = {name: unquote(text) for name, text in (address.groupdict() if address else {}).items() if text}
        return kind.format(**{"revision": "of that name", "file": "of that name", **named})
    if status >= 500:
        return f"the Hub is out of order, it answers {status}: try again later"
    message = _first_line(getattr(error, "server_message", None) or "")
    return STATUSES.get(status, f"the Hub refuses it with {status}, {message or 'without a reason'}")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
