"""Fixtures of the tests that speak to a Hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_hub import FakeHub, serving


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with serving(monkeypatch, tmp_path / "cache") as there:
        yield there
