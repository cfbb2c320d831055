"""A proxy before the page that loses answers: some connections are cut in mid-body, some answers are a 502."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Literal
from urllib.parse import urlsplit

Fate = Literal["whole", "cut", "502"]

BAD_GATEWAY = b"<!doctype html><title>502 Bad Gateway</title>The proxy has no answer."


def a_quarter_lost(seed: int) -> Callable[[str, int], Fate]:
    """(what is asked for, how often it was before) → what becomes of the answer: the same in every run."""

    def fate(asked: str, before: int) -> Fate:
        chance = Random(f"{seed} {asked} {before}").random()
        return "cut" if chance < 0.125 else "502" if chance < 0.25 else "whole"

    return fate


class LossyProxy:
    """target: the address that answers. fate: (what is asked for, how often it was before) → what becomes of the
    answer. answers: what became of all so far."""

    def __init__(self, target: str, fate: Callable[[str, int], Fate]) -> None:
        self.target = target
        self.fate = fate
        self.answers: list[tuple[str, Fate]] = []
        self._asked: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its answer, on a connection of their own."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
            body = await reader.readexactly(length)
            writer.write(self._lossy(_asked_for(lines[0], body), await self._answer(lines, body)))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):  # the browser has gone
            pass
        finally:
            writer.close()

    async def _answer(self, lines: list[bytes], body: bytes) -> bytes:
        host = urlsplit(self.target)
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        kept = [line for line in lines[:-2] if not line.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([*kept, b"Connection: close", b"", body]))
        answer = await reader.read(-1)
        writer.close()
        return answer

    def _lossy(self, asked: str, answer: bytes) -> bytes:
        fate = self.fate(asked, self._asked[asked])
        self._asked[asked] += 1
        self.answers.append((asked, fate))
        if fate == "502":
            head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: {len(BAD_GATEWAY)}\r\n"
            return head.encode() + b"Connection: close\r\n\r\n" + BAD_GATEWAY
        head = answer.partition(b"\r\n\r\n")[0]
        return answer if fate == "whole" else answer[: len(head) + 4 + (len(answer) - len(head) - 4) // 2]


def _asked_for(line: bytes, body: bytes) -> str:
    """The path, and of a call of a server function its name."""
    path = line.split()[1].decode().partition("?")[0]
    return json.loads(body)["fn_name"] if path.rstrip("/").endswith("component_server") else path


@contextmanager
def lossy_proxy(target: str, fate: Callable[[str, int], Fate]) -> Iterator[tuple[str, LossyProxy]]:
    """The address of such a proxy, and the proxy."""
    proxy, loop = LossyProxy(target, fate), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(proxy.serve, "127.0.0.1", 0), loop).result()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", proxy
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
