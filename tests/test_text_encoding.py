"""Text is UTF-8 wherever it is read, written or printed, also where the locale is another."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [ROOT / "app.py", *sorted((ROOT / "cfg_core").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
ASCII = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}
"""The locale C as it is, without Python's own UTF-8 in place of its ASCII."""


MODES = {kind + plus for kind in "rwax" for plus in ("", "+")}
"""In which a file is opened as text."""


def in_the_encoding_of_the_locale(call: ast.Call) -> bool:
    """Whether a call reads, writes or exchanges text and does not say in which encoding."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    named = {keyword.arg for keyword in call.keywords}
    constants = {each.value for each in ast.walk(call) if isinstance(each, ast.Constant)}
    if "encoding" in named:
        return False
    if name in ("read_text", "write_text"):
        return len(call.args) < (1 if name == "read_text" else 2)
    if name == "open":
        return bool(constants & MODES) or (isinstance(call.func, ast.Name) and len(call.args) == 1)
    return name in ("run", "Popen", "check_output") and bool(named & {"text", "universal_newlines"})


def test_text_is_opened_with_its_encoding() -> None:
    """As ruff's PLW1514, which sees a path only where its type is written beside it."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)[:80]}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and in_the_encoding_of_the_locale(node)
    ]
    assert not found


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["data", "synthetic"],
        ["curves"],
        ["sample", "--class", "Bag", "--w", "1", "--samples", "1", "--steps", "1", "--out", "sheet.png"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_prints_in_the_locale_c(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cfg_core", *arguments]
    environment = {**ASCII, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.isascii()
    assert done.stdout


def test_what_is_wrong_is_one_sentence_in_the_locale_c(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + "/caf\u00e9".encode()
    os.mkdir(folder)
    command = [sys.executable, "-m", "cfg_core", "data", folder]
    environment = {**ASCII, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"error: data must be valid UTF-8" in done.stderr.splitlines()[-1]
