"""The page's scripts: ES modules of assets/, served as they are, at addresses that change with their content, and the
scripts of assets/inline/, which stand in the page itself."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ASSETS = Path(__file__).parents[2] / "assets"
FOREVER = "public, max-age=31536000, immutable"
INLINE = "inline"


def inline(name: str) -> str:
    """The script assets/inline/NAME.js."""
    return (ASSETS / INLINE / f"{name}.js").read_text(encoding="utf-8")


class Scripts:
    """All modules below ASSETS, read once; nothing else there is served.

    The version, a hash of all of them, is a folder in their addresses: relative imports keep it, and a browser's cache
    never mixes two versions. Addresses are relative to the page, so they hold behind a proxy and on Spaces.
    """

    def __init__(self) -> None:
        paths = sorted(ASSETS.rglob("*.js"))
        modules = [path for path in paths if path.parent.name != INLINE]
        self._contents = {path.relative_to(ASSETS).as_posix(): path.read_bytes() for path in modules}
        everything = b"".join(name.encode() + content for name, content in self._contents.items())
        self.version = hashlib.sha256(everything).hexdigest()[:12]

    def address(self, name: str) -> str:
        """Where the page finds a script. Raises KeyError if there is none of that name."""
        self._contents[name]
        return f"scripts/{self.version}/{name}"

    def preloads(self) -> str:
        """Markup for the head of the page: the browser fetches all modules at once, not one import after the other."""
        addresses = (self.address(name) for name in self._contents if not name.endswith("types.js"))
        return "".join(f'<link rel="modulepreload" href="{address}">' for address in addresses)

    def route(self) -> Route:
        """For the web server."""
        return Route("/scripts/{version}/{name:path}", self._serve)

    async def _serve(self, request: Request) -> Response:
        content = self._contents.get(request.path_params["name"])
        if content is None:
            return Response("there is no script of that name", 404, media_type="text/plain")
        current = request.path_params["version"] == self.version  # a page that outlives a restart asks for an old one
        headers = {"Cache-Control": FOREVER if current else "no-store"}
        return Response(content, media_type="text/javascript", headers=headers)


SCRIPTS = Scripts()
