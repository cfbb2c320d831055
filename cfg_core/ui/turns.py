"""Taking turns: so many are served at once, of each address one; the address that was served longest ago is next."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Full(RuntimeError):
    """Too many wait already; the message is their number."""


class Turns:
    """For coroutines of one event loop. places: how many are served at once. waiting, of_address: how many may wait, in
    all and of one address."""

    def __init__(self, places: int, waiting: int, of_address: int) -> None:
        self._places, self._waiting, self._of_address = places, waiting, of_address
        self._line: list[tuple[str, asyncio.Future[None]]] = []
        self._served: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._numbers = count()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn; it ends with the block. Raises Full. Whoever is cancelled while waiting leaves the line."""
        for waiting, most in (
            (len(self._line), self._waiting),
            (sum(other == address for other, _ in self._line), self._of_address),
        ):
            if waiting >= most:
                raise Full(waiting)
        future = asyncio.get_running_loop().create_future()
        self._line.append((address, future))
        self._admit()
        try:
            await future
            yield
        finally:
            if (address, future) in self._line:
                self._line.remove((address, future))
            else:
                self._served[address] -= 1
                self._admit()

    def _admit(self) -> None:
        """Give the free places to those who wait."""
        self._served += Counter()  # drops those that have ended
        known = {address for address, _ in self._line} | self._served.keys()
        self._last = {address: number for address, number in self._last.items() if address in known}
        while self._served.total() < self._places:
            ready = [each for each in self._line if not self._served[each[0]]]
            if not ready:
                return
            address, future = min(ready, key=lambda each: self._last.get(each[0], -1))
            self._line.remove((address, future))
            self._served[address] += 1
            self._last[address] = next(self._numbers)
            if not future.done():
                future.set_result(None)
