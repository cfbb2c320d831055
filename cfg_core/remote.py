"""What the Hub, or the way to it, does wrong, told in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager


class RemoteError(OSError):
    """Something that could not be had from elsewhere; the message is one sentence."""


@contextmanager
def told(what: str, kind: type[Exception] = RemoteError) -> Iterator[None]:
    """Whatever goes wrong inside becomes an exception of this kind: what, and then why. That kind itself passes."""
    try:
        yield
    except Exception as error:  # the HTTP library's own among them, and which that is depends on huggingface_hub
        if isinstance(error, kind):
            raise
        response = getattr(error, "response", None)
        if response is not None and response.status_code == 401:
            reason = "it does not know who you are; run hf auth login, or set HF_TOKEN"
        else:
            reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise kind(f"{what}: {reason}") from error
