"""Threads in which torch uses one core each: none of them has helpers, and nobody else loses theirs."""

import torch

from cfg_core.threads import one_core_each


def test_each_thread_keeps_to_one_core() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        pool = one_core_each(2, "test of one core each")

        def work(_: int) -> int:
            torch.rand(1_000_000).exp()
            return torch.get_num_threads()

        assert list(pool.map(work, range(8))) == [1] * 8
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
