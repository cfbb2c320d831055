"""The short form of ``make attack``: the goals that do not depend on how fast the machine is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attack.attacks import SHORT

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the app is started under ulimit")
def test_attacks_leave_no_traceback_and_no_file_and_shut_nobody_out(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "tests.attack", "--short", "--json", str(found)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert found.exists(), done.stderr
    rows = json.loads(found.read_text(encoding="utf-8"))
    assert [row["attack"] for row in rows if row["sent"]] == list(SHORT)
    assert {row["attack"]: row["missed"] for row in rows if row["missed"]} == {}, done.stdout
