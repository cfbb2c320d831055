"""A local server with the part of the Hub's HTTP interface that huggingface_hub uses: repositories in memory, and
faults on demand.

As on the Hub, binary files are uploaded by Git LFS: each on its own before the commit, identified by its SHA-256. The
Hub prefers Xet, whose client is a binary that connects to no other server.
"""

import base64
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub.utils._http import REPO_API_REGEX

COMMIT = "c" * 40
CODES = {"RevisionNotFound": 404, "EntryNotFound": 404, "GatedRepo": 403}
"""The Hub's error code → its HTTP status."""
KINDS = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}
BINARY = (".safetensors", ".png")
VARIABLES = re.compile(r"/api/spaces/([^/]+/[^/]+)/variables")


@dataclass
class FakeHub:
    """files: "models/owner/name" → path → content. variables: of each Space, by owner/name. large: files uploaded by
    LFS, by their SHA-256. calls: (method, path) of each request. fault: a text → what happens to requests whose path
    contains it: a number or a key of CODES is the HTTP status of the answer; "cut" closes the connection in the middle
    of the request, or of the answer to a request without a body; "wrong" changes a file's last byte."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    fault: dict[str, int | str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        cut = self.faulty == "cut"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), Content_Type="application/json")

    def _begin(self) -> tuple[str, bytes] | None:
        """The path and the body of a request, unless a fault has answered it."""
        path = unquote(urlsplit(self.path).path)
        size = int(self.headers.get("Content-Length") or 0)
        self.hub.calls.append((self.command, path))
        self.faulty = next((fault for text, fault in self.hub.fault.items() if text in path), None)
        if self.faulty == "cut" and size:
            self.rfile.read(size // 2)
            self._hang_up()
            return None
        body = self.rfile.read(size)
        if isinstance(self.faulty, int):
            self._answer(self.faulty, b'{"error": "no"}', Content_Type="application/json", X_Error_Message="no")
            return None
        if self.faulty in CODES:
            self._answer(CODES[self.faulty], X_Error_Code=self.faulty)
            return None
        return path, body

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if not (begun := self._begin()):
            return
        path, _ = begun
        if of := VARIABLES.fullmatch(path):
            self._send_variables(of[1])
            return
        for kind, prefix in KINDS.items():
            if found := re.fullmatch(rf"/{prefix}([^/]+/[^/]+)/resolve/[^/]+(?:/[^/]+)*?/(.+)", path):
                self._file(f"{kind}/{found[1]}", path)
                return
            if found := re.fullmatch(rf"/api/{kind}/([^/]+/[^/]+)(/tree/.+|/revision/.+)?", path):
                self._about(f"{kind}/{found[1]}", found[2] or "")
                return
        self._answer(404)

    def _file(self, repository: str, path: str) -> None:
        files = self.hub.files.get(repository, {})
        name = next((name for name in files if path.endswith("/" + name)), None)
        if name is None:
            self._answer(404, X_Error_Code="EntryNotFound", X_Error_Message="no such file")
            return
        content = files[name]
        etag = f'"{_sha256(content) if name.endswith(BINARY) else _sha(content)}"'
        if self.faulty == "wrong":
            content = content[:-1] + b"?"
        self._answer(200, content, ETag=etag, X_Repo_Commit=COMMIT)

    def _about(self, repository: str, rest: str) -> None:
        if repository not in self.hub.files:
            return self._answer(401, X_Error_Message="Invalid username or password.")  # as without a token
        files = self.hub.files[repository]
        if rest.startswith("/tree/"):
            tree = [{"type": "file", "path": n, "oid": _sha(c), **_stored(n, c)} for n, c in files.items()]
            return self._json(tree if "refs/convert" not in rest else [])
        siblings = [{"rfilename": n, "blobId": _sha(c), **_stored(n, c)} for n, c in files.items()]
        return self._json({"id": repository.split("/", 1)[1], "sha": COMMIT, "siblings": siblings})

    def _send_variables(self, space: str) -> None:
        self._json({key: {"value": value} for key, value in self.hub.variables.get(space, {}).items()})

    def do_DELETE(self) -> None:
        if begun := self._begin():
            path, body = begun
            [space] = VARIABLES.fullmatch(path).groups()
            del self.hub.variables[space][json.loads(body)["key"]]
            self._send_variables(space)

    def do_POST(self) -> None:
        if not (begun := self._begin()):
            return
        path, body = begun
        commit = re.fullmatch(r"/api/(\w+)/([^/]+/[^/]+)/commit/main", path)
        if path == "/api/repos/create":
            created = json.loads(body)
            self.hub.created.append(created)
            kind, name = f"{created.get('type', 'model')}s", f"{created['organization']}/{created['name']}"
            self.hub.files.setdefault(f"{kind}/{name}", {})
            self._json({"url": f"{self.hub.address}/{KINDS[kind]}{name}"})
        elif of := VARIABLES.fullmatch(path):
            variable = json.loads(body)
            self.hub.variables.setdefault(of[1], {})[variable["key"]] = variable["value"]
            self._send_variables(of[1])
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            modes = ["lfs" if each["path"].endswith(BINARY) else "regular" for each in files]
            answer = [{**each, "uploadMode": m, "shouldIgnore": False} for each, m in zip(files, modes, strict=True)]
            self._json({"files": answer})
        elif path.endswith(".git/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            at = f"{self.hub.address}/large/"
            self._json({"objects": [{**each, "actions": {"upload": {"href": at + each["oid"]}}} for each in objects]})
        elif commit:
            kind, name = commit.groups()
            lines = [json.loads(line) for line in body.splitlines()]
            added = {each["value"]["path"]: self._content(**each) for each in lines if each["key"] != "header"}
            self.hub.files[f"{kind}/{name}"] |= added
            self._json({"commitUrl": f"{self.hub.address}/{KINDS[kind]}{name}/commit/{COMMIT}", "commitOid": COMMIT})
        else:
            self._answer(404)

    def _content(self, key: str, value: dict[str, Any]) -> bytes:
        return self.hub.large[value["oid"]] if key == "lfsFile" else base64.b64decode(value["content"])

    def do_PUT(self) -> None:
        if begun := self._begin():
            path, body = begun
            self.hub.large[path.removeprefix("/large/")] = body
            self._answer(200)


def _sha(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _stored(name: str, content: bytes) -> dict[str, Any]:
    """The Hub's fields for a file's storage; of its two lists one has the hash of an LFS file as sha256, one as oid."""
    size, digest = len(content), _sha256(content)
    large = {"size": size, "sha256": digest, "oid": digest, "pointerSize": 134}
    return {"size": size, "lfs": large} if name.endswith(BINARY) else {"size": size}


def switch_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point huggingface_hub at a port without a server; a wait before another attempt fails the test."""
    point_at("http://127.0.0.1:9", monkeypatch)

    def wait(seconds: float) -> None:
        raise AssertionError(f"waits for {seconds} seconds")

    replace_sleep(wait, monkeypatch)


def point_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point huggingface_hub at this address, without waits between its attempts."""
    secure = "huggingface_hub.utils._http.REPO_API_REGEX"
    monkeypatch.setattr(secure, re.compile(REPO_API_REGEX.pattern.replace("https:", "http:"), re.VERBOSE))
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    replace_sleep(lambda seconds: None, monkeypatch)


def replace_sleep(sleep: Callable[[float], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace time.sleep in huggingface_hub alone."""
    for module in ("utils._http", "file_download"):
        monkeypatch.setattr(f"huggingface_hub.{module}.time", SimpleNamespace(**{**vars(time), "sleep": sleep}))


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, cache: object) -> Iterator[FakeHub]:
    """A running server, used by huggingface_hub in place of the Hub, with an empty cache."""
    hub = FakeHub()
    handler = type("Bound", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    point_at(hub.address, monkeypatch)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    yield hub
    server.shutdown()
    server.server_close()
