import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import app
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
        (["--lesson", "README.md"], "README.md, line 1: before the first ## there may be only #"),
        (["--lesson", "nowhere.md"], "lesson must be a file that can be read, got nowhere.md"),
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


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_sigterm_ends_it_in_good_order():
    """As a Space is stopped."""
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(free_port())]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        line = next(each for each in process.stdout if "Running on local URL" in each)
        assert urlopen(line.split()[-1]).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stdout.read()
