"""README and the other documents: their links lead somewhere, and their Python runs."""

import re
from pathlib import Path

import pytest

from cfg_core.__main__ import COMMANDS
from cfg_core.checkpoints.diffusers_models import NEEDS

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMED = re.compile(r"`((?:cfg_core|tests|assets|docs)/[\w./-]+\.(?:py|js|md|json))`")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_and_every_file_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    wrong = [link for link in links if link and not (path.parent / link).exists()]
    wrong += [name for name in NAMED.findall(text) if "NAME" not in name and not (ROOT / name).exists()]
    assert not wrong


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_are_written_as_they_run_after_make_app(path: Path) -> None:
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        for python, command in re.findall(r"(\S*python)\S* -m cfg_core (\S+)", block):
            assert python == ".venv/bin/python"
            assert command in COMMANDS or command.startswith("-")


def test_the_example_in_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out.splitlines()[-1] == "12 torch.Size([16, 1, 28, 28]) torch.Size([16, 1, 28, 28])"


def test_the_extra_for_diffusers_is_what_the_code_asks_for() -> None:
    assert NEEDS in (ROOT / "requirements-diffusers.txt").read_text(encoding="utf-8").splitlines()
