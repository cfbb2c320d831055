"""What the attacks send: grids, routes and bodies."""

from typing import Any

SMALLEST = ["0", "3", 1, 7, "ddim", 1, "cfg", None, ""]
"""A grid, as the endpoint for programs takes it, that costs nothing."""

HEAVIEST_REPLY = ["all", "3", 64, 7, "ddim", 1, "cfg", "cifar10", ""]
"""A grid of two megabytes of pixels, which is drawn fast and is in the cache from then on."""

WORST_SCENE = {
    "points": 2000, "steps": 200, "langevin": 8, "sampler": "ancestral", "resampled": True,
    "means": 12 * [[0, 0]], "owners": 4 * [0, 1, 2],
}  # fmt: skip
"""Of the 2-D lab: the most evaluations."""

MANY_LABELS = ",".join(340_000 * ["0"])
"""680 KB."""

UNUSED_ROUTES = (
    "/monitoring", "/monitoring/summary", "/login", "/svelte/x", "/config/", "/no/such/page", "/" + 4000 * "x",
    "/static/../app.py", "/gradio_api/file=/etc/passwd", "/gradio_api/file/x", "/gradio_api/proxy=http://127.0.0.1:1/",
    "/gradio_api/stream/a/b/c/playlist.m3u8", "/gradio_api/stream/a/b/c/d.ts", "/gradio_api/vibe-code",
    "/gradio_api/upload_progress?upload_id=x", "/gradio_api/runs", "/gradio_api/token", "/gradio_api/dev/reload",
    "/gradio_api/deep_link?session_hash=x", "/gradio_api/startup-events", "/custom_component/1/client/component/x",
    "/gradio_api/call/grid/x", "/gradio_api/queue/data", "/pwa_icon/9999999999", "/gradio_api/profiling/traces",
)  # fmt: skip

JSON_ROUTES = ("component_server", "queue/join", "call/grid", "run/grid", "cancel", "reset")
"""Routes below /gradio_api/ that take JSON."""

GARBAGE = (
    b"", b"NaN", b"null", b"[]", b"{", b'"x"', b"\xff\xfe\x00", b'{"data": NaN}', b'{"data": [NaN, Infinity, 1e999]}',
    b'{"data": ["\\ud800"]}', b'{"data": [1' + 5000 * b"0" + b"]}",
    b'{"data": [], "fn_index": NaN, "session_hash": []}', b'{"data": [], "fn_index": -1, "session_hash": "x"}',
    b'{"data": 1, "fn_name": "poll", "component_id": NaN}',
)  # fmt: skip

GARBAGE_FIELDS: tuple[Any, ...] = (
    float("nan"), float("inf"), 10**400, "\ud800", "nan", [], {}, [[]], {"x": None}, True, 10_000 * "x", -1e308,
)  # fmt: skip
"""Values of the fields of a request."""


def largest(seed: int) -> list[Any]:
    """A grid with the most work that one call may ask for: 640 pictures of 102 evaluations."""
    return ["all", "3", 64, seed, "ddim", 102, "cfg", None, ""]


def nested(depth: int) -> bytes:
    """A call of a grid whose label is so many lists, one in the other."""
    return b'{"data": [' + depth * b"[" + depth * b"]" + b"]}"


def files(first: int, number: int) -> tuple[bytes, str]:
    """A form of so many files of one byte, named by their numbers, and its content type."""
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%d.txt"\r\n\r\nx\r\n'
    parts = b"".join(part % each for each in range(first, first + number))
    return parts + b"--x--\r\n", "multipart/form-data; boundary=x"
