"""``python -m cfg_core curves``: tables and conclusions, or one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cfg_core.commands.curves import main
from cfg_core.evaluation.curves import read_curves
from tests.curve_files import everything, record, write


def test_the_command_prints_tables_and_conclusions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(write(tmp_path))])
    printed = capsys.readouterr().out
    for title in ("Guidance strength", "p_uncond", "Steps T", "Method"):
        assert f"## {title}\n" in printed
    rows = [row for row in printed.splitlines() if row.startswith("| CFG | 0.3 |")]
    assert rows[0].startswith("| CFG | 0.3 | 0.400 (0.380 to 0.420) | ")
    assert printed.count("| 10,000 held-out real pictures |") == 4
    assert len({row.count("|") for row in printed.splitlines() if row.startswith("|")}) == 1
    for group in read_curves(tmp_path).groups:
        for conclusion in group.conclusions:
            assert f"- {conclusion}\n" in printed


@pytest.mark.parametrize(
    "make", [lambda folder: folder / "none", lambda folder: write(folder, {})], ids=["none", "empty"]
)
def test_bad_input_exits_with_2_and_one_sentence(
    make: Callable[[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(make(tmp_path))])
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m cfg_core curves: error: The")


def test_one_bad_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(
        tmp_path, {**everything(), "old.json": {name: value for name, value in record().items() if name != "rule"}}
    )
    with pytest.raises(SystemExit) as caught:
        main([str(folder)])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("error: old.json is not a curve file: the record lacks rule.\n")
