"""``python -m cfg_core evaluate``: outputs are checked first, data may be given, names are printed literally."""

import json
from pathlib import Path

import pytest

from cfg_core.commands.evaluate import check_out, main, parser, show, variants
from tests.curve_files import record

MODELS = Path(__file__).parents[2] / "checkpoints"
GIVEN = ["--checkpoint", str(MODELS / "fashion-mnist"), "--classifier", str(MODELS / "fashion-mnist-classifier")]


@pytest.mark.parametrize("name", ["[red]model[/red]", "[/x]", ":smile:"])
def test_the_name_of_a_model_is_printed_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(json.dumps(record()))
    found["checkpoint"]["name"] = name
    show(found)
    assert name in capsys.readouterr().out


def test_data_that_are_not_the_models_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*GIVEN, "--data", "synthetic", "--out", str(tmp_path / "a.json")])
    assert ended.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "data must have the checkpoint's channels 1 and classes (T-shirt, " in error
    assert "got 1 and (disc, square, cross, stripes)" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.csv", "out must be a JSON file, got"),
        ("file/a.json", "out must be a file that can be written, got"),
        ("folder.json", r"out must be a file that can be written, got .*folder.json \(it is a folder\)"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ValueError, match=message):
        check_out(tmp_path / name)


def test_a_sweep_over_a_parameter_is_a_command_line_for_each_value() -> None:
    line = [
        "--w",
        "0",
        "-1",
        "--rule",
        "interval",
        "--over",
        "log_snr_low=-3,0.125",
        "--set",
        "rho=5",
        "--out",
        "a/b.json",
    ]
    parsed = [parser().parse_args([*GIVEN, *each]) for each in variants(line, "log_snr_low=-3,0.125")]
    assert [a.set for a in parsed] == [["rho=5", "log_snr_low=-3"], ["rho=5", "log_snr_low=0.125"]]
    assert [a.out for a in parsed] == [Path("a/b-log_snr_low--3.json"), Path("a/b-log_snr_low-0.125.json")]
    assert all((a.w, a.rule, a.over) == ([0, -1], "interval", None) for a in parsed)
    assert variants(line[:5], None) == [line[:5]]


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ("log_snr_low=", "set must be name=value with a number, got 'log_snr_low='"),
        ("log_snr_low=1,x", "set must be name=value with a number, got 'log_snr_low=x'"),
        ("log_snr_low=1,1.0", "over must hold each value once, got 'log_snr_low=1,1.0'"),
        ("log_snr_low=1,99", "log_snr_low must be a number from -25 to 25, got 99"),
        ("phi=0.5", "parameters must be among log_snr_high, log_snr_low, rho for this rule and sampler, got 'phi'"),
    ],
)
def test_a_value_that_a_parameter_cannot_have_is_refused_before_anything_is_drawn(
    over: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*GIVEN, "--rule", "interval", "--over", over, "--data", "synthetic", "--out", str(tmp_path / "a.json")])
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_rule_that_asks_a_weaker_sibling_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*GIVEN, "--rule", "autoguidance", "--out", str(tmp_path / "a.json")])
    assert "weaker must be given for the rules that need it and only for them, got None" in capsys.readouterr().err
