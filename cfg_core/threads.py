"""Thread pools in which each thread of Python computes on one core."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from functools import cache
from threading import Barrier
from typing import TypeVar

import torch

Item = TypeVar("Item")


Result = TypeVar("Result")


@cache
def one_core_each(count: int, name: str) -> Executor:
    """A pool of ``count`` threads, all started, in each of which torch uses one thread.

    ``set_num_threads`` in one thread also sets the default of all new threads, so it is restored; and a thread adopts
    that default at its first operation or query, so each queries it before it sets its own.
    """
    cores = torch.get_num_threads()

    def begin() -> None:
        torch.get_num_threads()
        torch.set_num_threads(1)

    pool = ThreadPoolExecutor(count, name, begin)
    every = Barrier(count)
    wait([pool.submit(every.wait) for _ in range(count)])
    torch.set_num_threads(cores)
    return pool


def on_cores(
    function: Callable[[Item], Result], items: Iterable[Item], device: torch.device | None = None
) -> Iterator[Result]:
    """The results in order, each computed on a core of its own, unless the function computes on another device."""
    cores = torch.get_num_threads()
    if cores == 1 or (device and device.type != "cpu"):
        return map(function, items)
    return one_core_each(cores, "item").map(function, items)
