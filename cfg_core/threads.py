"""Threads in which torch uses one core each."""

from concurrent.futures import Executor, ThreadPoolExecutor, wait
from functools import cache
from threading import Barrier

import torch


@cache
def one_core_each(count: int, name: str) -> Executor:
    """So many threads, all of them begun.

    torch takes the setting of one thread for that of all new ones, so it is put back.
    """
    cores = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, name, torch.set_num_threads, (1,))
    every = Barrier(count)
    wait([pool.submit(every.wait) for _ in range(count)])
    torch.set_num_threads(cores)
    return pool
