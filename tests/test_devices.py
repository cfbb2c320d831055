"""How many threads torch gets: a choice of what is served or run, never a side effect of loading."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cfg_core import devices
from cfg_core.devices import CPU_THREADS

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


@pytest.mark.parametrize(("before", "after"), [(1, 1), (CPU_THREADS, CPU_THREADS), (CPU_THREADS + 3, CPU_THREADS)])
def test_serving_takes_no_more_threads_than_round_alike(
    before: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "DEFAULT_THREADS", before)
    devices.set_cpu_threads()
    assert torch.get_num_threads() == after


def test_loading_a_checkpoint_leaves_the_threads_as_they_are() -> None:
    """In a process of its own, since the first import of a module counts too."""
    code = f"""
import torch
torch.set_num_threads({CPU_THREADS + 3})
from cfg_core.checkpoints.format import load_checkpoint
load_checkpoint({str(CHECKPOINTS / "fashion-mnist")!r})
print(torch.get_num_threads())
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert int(found.stdout) == CPU_THREADS + 3
