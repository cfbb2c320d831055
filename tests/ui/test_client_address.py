"""Whose share a request is counted by: the peer's, or behind a Space's proxy the last hop of X-Forwarded-For."""

import pytest
from starlette.requests import Request

from cfg_core.ui.client_address import client_address


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", hops.encode("latin1")) for hops in forwarded]
    return Request({"type": "http", "headers": headers, "client": peer and (peer, 5000)})


@pytest.mark.parametrize(
    ("peer", "forwarded", "direct", "on_a_space"),
    [
        ("203.0.113.5", [], "203.0.113.5", "203.0.113.5"),
        ("10.16.0.9", ["203.0.113.5"], "10.16.0.9", "203.0.113.5"),
        ("10.16.0.9", ["1.1.1.1, 203.0.113.5"], "10.16.0.9", "203.0.113.5"),
        ("10.16.0.9", ["1.1.1.1", "203.0.113.5"], "10.16.0.9", "203.0.113.5"),
        ("10.16.0.9", ["1.1.1.1, nobody"], "10.16.0.9", ""),
        ("10.16.0.9", [""], "10.16.0.9", "10.16.0.9"),
        ("2001:db8:1:2:a:b:c:d", [], "2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", [], "203.0.113.5", "203.0.113.5"),
        ("testclient", [], "", ""),
        (None, [], "", ""),
    ],
)
def test_an_address_cannot_be_claimed(
    peer: str | None, forwarded: list[str], direct: str, on_a_space: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert client_address(request(peer, *forwarded)) == direct
    monkeypatch.setenv("SPACE_ID", "owner/name")
    assert client_address(request(peer, *forwarded)) == on_a_space
