"""The address of whoever sends a request, behind a proxy too."""

import ipaddress
import os

import gradio as gr
from starlette.requests import HTTPConnection


def client_address(request: HTTPConnection | gr.Request) -> str:
    """The address that a sender's share is counted by: of IPv4, or the /64 network of IPv6, all of which one host has.

    On a Space it is the last hop of X-Forwarded-For, added by the Space's proxy; the hops before it are whatever the
    sender claims. Elsewhere it is the peer's; where that is this machine (a proxy, a share link's tunnel) or listed in
    FORWARDED_ALLOW_IPS, uvicorn has put the last other hop in its place. "" where neither is an address.
    """
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",") if os.environ.get("SPACE_ID") else []
    peer = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address((hops[-1] if hops else "").strip() or peer)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address) >> 64 << 64, 64)))
