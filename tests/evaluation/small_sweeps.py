"""The options of a small sweep, and what its file says but for when and how it was made."""

import json
from pathlib import Path


def command(model: Path, classifier: Path, out: Path) -> list[str]:
    names = ["--checkpoint", str(model), "--classifier", str(classifier), "--out", str(out)]
    return [*names, "--w", "0", "1", "--samples", "1000", "--steps", "2"]


def undated(path: Path) -> dict:
    content = json.loads(path.read_text(encoding="utf-8"))
    return {name: value for name, value in content.items() if name not in ("date", "command")}
