"""What went wrong on the way to the Hub, in one sentence; most of it over HTTP, in tests/test_hub.py."""

import importlib

import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from cfg_core.hub_errors import RemoteError, explained

HTTP = importlib.import_module(HfHubHTTPError.__bases__[0].__module__.split(".")[0])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (HTTP.ReadTimeout("The read operation timed out"), "the Hub did not answer in time"),
        (HTTP.ConnectTimeout("timed out"), "the Hub did not answer in time"),
        (HTTP.ConnectError("[Errno -2] Name or service not known"), "the Hub cannot be reached from here"),
        (HTTP.RemoteProtocolError("peer closed connection"), "the connection to the Hub broke off"),
        (HTTP.WriteError("[Errno 32] Broken pipe"), "the connection to the Hub broke off"),
        (OfflineModeIsEnabled("Cannot reach"), "the Hub is not asked, because HF_HUB_OFFLINE is set"),
        (OSError("\n No space left\nat all"), "No space left"),
        (KeyError(), "KeyError"),
    ],
)
def test_each_failure_has_its_sentence(error: Exception, reason: str) -> None:
    with pytest.raises(RemoteError) as refused, explained("it could not be fetched"):
        raise error
    assert str(refused.value) == f"it could not be fetched: {reason}"


def test_what_hides_in_another_error_is_told() -> None:
    with pytest.raises(RemoteError) as refused, explained("it could not be fetched"):
        raise LocalEntryNotFoundError("An error happened while trying to locate the file") from HTTP.ConnectError("-")
    assert str(refused.value) == "it could not be fetched: the Hub cannot be reached from here"


def test_a_sentence_of_ones_own_passes() -> None:
    with pytest.raises(ValueError, match=r"^already explained$"), explained("it could not be fetched", ValueError):
        raise ValueError("already explained")
