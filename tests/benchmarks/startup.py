"""From process start to the first finished picture, over the imports that no app of this kind can do without."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import IO, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.benchmarks.timing import Row, interleaved, ratio

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds after which an app that shows nothing is taken to be broken."""


def rows(checkpoint: str, rounds: int) -> Iterator[Row]:
    """The app's start as a browser sees it, but without one."""
    ours, imports = interleaved([lambda: first_picture(checkpoint), import_only], rounds)
    yield Row(
        "Process start to the first finished pictures, over its imports alone",
        f"{median(ours):.2f} s",
        f"{median(imports):.2f} s",
        f"{ratio(ours, imports):.2f}",
        "≤ 1.5",
    )


def import_only() -> None:
    subprocess.run([sys.executable, "-c", "import torch, gradio"], check=True)


def first_picture(checkpoint: str) -> None:
    """Start ``app.py`` and ask as the page asks, until the guided grid is finished. Raises RuntimeError if it dies."""
    with running(checkpoint) as page:
        page.draw(page.call("open_session", {"query": {}}))


@contextmanager
def running(
    checkpoint: str, *options: str, descriptors: int | None = None, port: int | None = None
) -> Iterator["Page"]:
    """``app.py`` in a process of its own, once it answers. descriptors: of files and connections that it may open.
    port: by default one that is free."""
    port = port or free_port()
    command = [sys.executable, "app.py", "--no-browser", "--checkpoint", checkpoint]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    if descriptors is not None:
        command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *command]
    with tempfile.TemporaryFile() as log:  # an unread pipe would fill up and block the app
        app = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log)
        try:
            yield Page(f"http://127.0.0.1:{port}", app, log)
        finally:
            app.kill()
            app.wait()


class Page:
    """The canvas component of a running app, called over HTTP as its script calls it."""

    def __init__(self, address: str, app: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.address, self.app, self._log = address, app, log
        components = self._when_up()["components"]
        self.tabs = {c["props"]["elem_id"]: c["id"] for c in components if c.get("props", {}).get("elem_id")}
        self.component = self.tabs["explore"]

    def call(self, function: str, data: dict[str, Any]) -> dict[str, Any]:
        body = {"session_hash": "benchmark", "component_id": self.component, "fn_name": function, "data": data}
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.address}/gradio_api/component_server", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=PATIENCE) as reply:
            return json.load(reply)

    def draw(self, opened: dict[str, Any]) -> None:
        """Poll until both grids of the request in a reply of ``open_session`` are finished."""
        seen: dict[str, int] = {}
        frames: list[dict[str, Any]] = [{"done": False}]
        while not all(frame["done"] for frame in frames):
            reply = self.call("poll", {"token": opened["token"], "request": opened["request"], "seen": seen})
            frames = reply["frames"]
            seen |= {str(frame["serial"]): frame["evaluations"] for frame in [*frames, *reply["strip"]]}

    @property
    def log(self) -> str:
        """The app's log so far."""
        file = self._log.fileno()
        written = os.pread(file, os.fstat(file).st_size, 0)  # the app writes on where it was
        return written.decode(errors="replace")

    def _when_up(self) -> dict[str, Any]:
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up and self.app.poll() is None:
            with suppress(URLError, ConnectionError), urlopen(f"{self.address}/config", timeout=PATIENCE) as reply:
                return json.load(reply)
            time.sleep(0.02)
        raise RuntimeError(f"app.py did not come up: {self.log[-500:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
