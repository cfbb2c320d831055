"""What is freed goes back to the system, even below something that is still in use."""

import platform

import numpy as np
import psutil
import pytest

from cfg_core.serving.memory import trim

PICTURE = 12_544
"""Bytes of a grid, too few for the C library to map them on their own."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library keeps it")
def test_what_lies_between_kept_pictures_goes_back() -> None:
    process, mib = psutil.Process(), 2**20
    pictures = [np.ones(PICTURE, np.uint8) for _ in range(100 * mib // PICTURE)]
    kept = pictures[::100]
    pictures.clear()
    before = process.memory_info().rss
    trim()
    assert before - process.memory_info().rss > 50 * mib
    assert all(picture.all() for picture in kept)
