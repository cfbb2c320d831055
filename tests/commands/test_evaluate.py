"""``python -m cfg_core evaluate``: outputs are checked first, data may be given, names are printed literally."""

import json
from pathlib import Path

import pytest

from cfg_core.commands.evaluate import check_out, main, show
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
