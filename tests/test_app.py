import pytest

import app


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--checkpoint", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
        (["--guide", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
        (["--classifier", "nowhere"], "checkpoint 'nowhere' is neither a folder nor a Hub name"),
        (["--device", "abacus"], "device must be one of cpu"),
        (["--port", "70000"], "port must be a whole number from 0 to 65535, got 70000"),
        (["--port", "http"], "argument --port: invalid int value: 'http'"),
    ],
)
def test_bad_options_exit_with_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        app.main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
