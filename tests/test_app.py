import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import app
from cfg_core.program import has_screen
from cfg_core.publishing.spaces import MODELS_VARIABLE

ROOT = Path(app.__file__).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--checkpoint", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
        (["--guide", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
        (["--classifier", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
        (["--device", "abacus"], "device must be one of cpu"),
        (["--port", "70000"], "port must be a whole number from 1 to 65535, got 70000"),
        (["--port", "0"], "port must be a whole number from 1 to 65535, got 0"),
        (["--host", "nowhere.invalid"], "host must be an address or name of this machine, got 'nowhere.invalid'"),
        (["--host", "192.0.2.1", "--port", "7860"], "host must be an address or name of this machine, got '192.0.2.1'"),
        (["--sessions", "0"], "sessions must be a whole number from 1 to 10000, got 0"),
        (["--queue", "-1"], "queue must be a whole number from 0 to 10000, got -1"),
        (["--port", "http"], "argument --port: invalid int value: 'http'"),
    ],
)
def test_bad_options_exit_with_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        app.main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("variable", "given", "offered"),
    [
        (None, [], []),
        ("", [], []),
        ("someone/dit  folder", [], ["someone/dit", "folder"]),
        ("someone/dit", ["--checkpoint", "other"], ["other"]),
    ],
)
def test_what_else_to_offer_is_in_a_variable_unless_it_is_given(variable, given, offered, monkeypatch):
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(MODELS_VARIABLE, variable)
    assert app.parser().parse_args(given).checkpoint == offered


@pytest.mark.parametrize(
    ("platform", "environment", "screen"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"SSH_CONNECTION": "1"}, False),
        ("linux", {"SSH_CONNECTION": "1", "DISPLAY": ":10"}, True),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "1"}, False),
        ("win32", {}, True),
        ("linux", {"DISPLAY": ":0", "SPACE_ID": "owner/name"}, False),
    ],
)
def test_there_is_a_screen_where_somebody_sees_it(platform, environment, screen, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert has_screen() is screen


def test_mcp_without_its_extra_is_refused_with_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(app, "find_spec", lambda _: None)
    with pytest.raises(SystemExit) as exit_:
        app.main(["--mcp"])
    assert exit_.value.code == 2
    assert "pip install -r requirements-mcp.txt" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("options", [[], ["--no-browser"]], ids=str)
def test_it_opens_where_there_is_a_screen_and_sigterm_ends_it_in_good_order(options, tmp_path):
    """As a Space is stopped."""
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n', encoding="utf-8")
    browser.chmod(0o755)
    environment = {**os.environ, "DISPLAY": ":0", "BROWSER": f"{browser} %s"}
    environment.pop("SPACE_ID", None)
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(free_port()), *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        line = next(each for each in process.stdout if "Guidance Lab is at" in each)
        address = line.split()[-1]
        assert urlopen(address).status == 200
        assert (opened.read_text(encoding="utf-8").strip() if opened.exists() else "") == ("" if options else address)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stdout.read()
