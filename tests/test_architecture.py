"""The plan of cfg_core: which package may import which, that each says what it is for, and that files stay short."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "cfg_core"
MAX_LINES = 300

ALLOWED = {
    "data": "",
    "networks": "",
    "diffusion": "networks",
    "guidance": "diffusion",
    "sampling": "diffusion guidance",
    "sampling.samplers": "diffusion",  # samplers and rules do not import each other
    "toy2d": "diffusion guidance sampling",
    "grids": "data diffusion guidance sampling",
    "lessons": "grids toy2d",  # text to steps, without the page that shows them: app.py and tests read them too
    "checkpoints": "data networks diffusion guidance grids",
    "evaluation": "data networks diffusion guidance sampling grids checkpoints",
    "publishing": "data networks diffusion guidance sampling grids checkpoints evaluation",
    "serving": "data networks diffusion guidance sampling grids checkpoints evaluation",
    "training": "data networks diffusion guidance sampling grids checkpoints",
    "ui": "guidance sampling grids checkpoints evaluation lessons serving toy2d",
    "commands": "data networks diffusion guidance sampling grids checkpoints evaluation publishing serving training",
}
"""What each package may import of cfg_core, beside itself and the modules at its top, which import only each other."""

MODULES = sorted(CORE.rglob("*.py"))
PACKAGES = sorted(path.parent.name for path in CORE.glob("*/__init__.py"))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, at its top or anywhere else."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports {'.' * node.level}{node.module}: write the whole name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def package(module: str) -> str:
    """Of a module of cfg_core, the package that it lies in, or "" for one at the top."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in PACKAGES else ""


def allowed(name: str) -> set[str]:
    """The packages that a module (a dotted name without cfg_core) may import."""
    key = max((key for key in ALLOWED if name == key or name.startswith(f"{key}.")), key=len, default="")
    return {*ALLOWED.get(key, "").split(), name.split(".")[0]}


def test_the_table_has_every_package_and_has_no_circle() -> None:
    rows = [name for name in ALLOWED if "." not in name]
    assert sorted(rows) == PACKAGES
    assert all((CORE / name.replace(".", "/")).with_suffix(".py").exists() for name in ALLOWED if "." in name)
    done: set[str] = set()
    while left := [name for name in rows if name not in done]:
        free = {name for name in left if set(ALLOWED[name].split()) <= done}
        assert free, f"{', '.join(left)} import each other"
        done |= free


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_a_module_imports_only_what_its_package_may(path: Path) -> None:
    inside = path.relative_to(CORE)
    name = ".".join(inside.with_suffix("").parts)
    inner = {package(module) for module in imported(path) if module.split(".")[0] == "cfg_core"} - {""}
    wrong = inner - (allowed(name) if len(inside.parts) > 1 else set())
    assert not wrong
    libraries = {module.split(".")[0] for module in imported(path)}
    assert ("torch" if inside.parts[0] == "ui" else "gradio") not in libraries


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_says_what_it_is_for_what_to_read_and_what_it_may_import(name: str) -> None:
    tree = ast.parse((CORE / name / "__init__.py").read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    assert len(tree.body) == 1, "only the docstring"
    for file in re.findall(r"\b\w+\.py\b", text):
        assert (CORE / name / file).exists(), f"{file} is not in {name}"
    assert re.search(r"\bRead\b.*\w+\.py", text, re.DOTALL)
    said = re.search(r"May import (.*?)\bthe\s+top-level\s+helpers", text, re.DOTALL)
    assert said
    assert set(re.findall(r"\w+", said[1])) - {"and", "only"} == set(ALLOWED[name].split())


def lines() -> dict[str, list[str]]:
    """Path → lines, of what is written by hand in Python and for the page."""
    files = [*CORE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "assets").rglob("*.js"), ROOT / "app.py"]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").splitlines() for path in files}


def test_files_stay_short_unless_their_first_lines_give_a_reason() -> None:
    found = lines()
    assert "cfg_core/__main__.py" in found
    long = {path for path, text in found.items() if len(text) > MAX_LINES and "300 lines" not in " ".join(text[:10])}
    assert not long
