"""How many threads torch gets: a choice of what is served or run, never a side effect of loading."""

import subprocess
import sys
from pathlib import Path

import pytest

from cfg_core.devices import CPU_THREADS

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


def threads_after(code: str, before: int) -> int:
    """torch's number of threads after some code in a process of its own that had so many."""
    whole = f"import torch\ntorch.set_num_threads({before})\n{code}\nprint(torch.get_num_threads())"
    found = subprocess.run([sys.executable, "-c", whole], capture_output=True, encoding="utf-8", check=True)
    return int(found.stdout)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (CPU_THREADS, CPU_THREADS), (CPU_THREADS + 3, CPU_THREADS)])
def test_serving_takes_no_more_threads_than_round_alike(before: int, after: int) -> None:
    assert threads_after("from cfg_core.devices import set_cpu_threads; set_cpu_threads()", before) == after


def test_loading_a_checkpoint_leaves_the_threads_as_they_are() -> None:
    where = str(CHECKPOINTS / "fashion-mnist")
    code = f"from cfg_core.checkpoints.format import load_checkpoint; load_checkpoint({where!r})"
    assert threads_after(code, CPU_THREADS + 3) == CPU_THREADS + 3
