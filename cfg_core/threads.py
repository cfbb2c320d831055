"""Threads in which torch uses one core each."""

from concurrent.futures import Executor, ThreadPoolExecutor, wait
from functools import cache
from threading import Barrier

import torch


@cache
def one_core_each(count: int, name: str) -> Executor:
    """So many threads, all of them begun.

    torch takes the setting of one thread for that of all new ones, so it is put back; and a thread takes it over at its
    first work, or when it first asks, so each asks before it sets its own.
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
