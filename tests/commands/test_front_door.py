"""``python -m cfg_core`` itself, and what all commands have in common."""

import importlib
import subprocess
import sys

import pytest

from cfg_core import program
from cfg_core.__main__ import COMMANDS, main
from cfg_core.checkpoints.public_names import public_model_name, public_path
from cfg_core.commands import curves, sample
from cfg_core.commands.common import command_parser, recorded_command


def test_help_lists_every_command(capsys):
    main(["--help"])
    printed = capsys.readouterr().out
    assert printed.startswith("usage: python -m cfg_core COMMAND")
    for name, about in COMMANDS.items():
        assert name in printed
        assert about in printed


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--version"]])
def test_an_unknown_command_exits_with_2_and_one_sentence(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("error: COMMAND must be one of train, classifier, sample,")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_in_groups_that_shows_defaults(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert f"usage: python -m cfg_core {name}" in printed
    assert "['" not in printed
    assert "None" not in printed
    options = printed.split("options:")[1]
    assert name == "hub" or "--help" in options.split("\n\n")[0].splitlines()[-1], "nothing is outside a group"


def test_the_usage_line_shows_the_way_it_was_called(monkeypatch):
    assert "python -m cfg_core data" in command_parser("data", "").format_usage()
    monkeypatch.setattr(sys, "argv", ["/some/bin/guidance-lab", "data"])
    assert "usage: guidance-lab data" in command_parser("data", "").format_usage()


def test_a_command_is_recorded_with_paths_of_the_project_and_without_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clients" / "pics").mkdir(parents=True)
    (tmp_path / "checkpoints" / "mine").mkdir(parents=True)
    p = command_parser("any", "")
    for option in ("--data", "--checkpoint", "--guide"):
        p.add_argument(option)
    given = ["--data", "clients/pics", "--checkpoint", "checkpoints/mine", "--guide=owner/name"]
    recorded = recorded_command("any", given, p.parse_args(given))
    assert recorded == "python -m cfg_core any --data pics --checkpoint checkpoints/mine --guide=owner/name"
    assert public_model_name("clients/pics") == public_path(str(tmp_path / "pics")) == "pics"
    assert public_model_name("owner/name") == "owner/name"


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (sample, [], "checkpoint must be given, because checkpoints/fashion-mnist is part of a clone and this is"),
        (curves, [], "folder must be given, because assets/curves is part of a clone and this is"),
    ],
)
def test_an_installed_package_says_what_only_a_clone_has(command, arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(program, "ROOT", tmp_path)
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_python_runs_the_package():
    done = subprocess.run(
        [sys.executable, "-m", "cfg_core", "--help"], capture_output=True, encoding="utf-8", check=True
    )
    assert "COMMAND --help" in done.stdout


def test_every_command_is_a_file_with_a_main():
    for name in COMMANDS:
        assert callable(importlib.import_module(f"cfg_core.commands.{name}").main)
