"""``python -m cfg_core data``."""

import pytest

from cfg_core.commands.data import main
from tests.data.pictures import folder, picture


def test_the_command_counts_what_is_there(tmp_path, capsys):
    main([str(folder(tmp_path, cat=[picture()] * 20, dog=[picture()] * 10)), "--size", "16"])
    printed = capsys.readouterr().out
    assert "2 classes, 16×16, colour" in printed
    cells = next([cell.strip() for cell in line.split("│")] for line in printed.splitlines() if "│ cat" in line)
    assert cells[1:4] == ["cat", "18", "2"]


def test_the_command_refuses_in_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "nowhere")])
    assert ended.value.code == 2
    assert "data must be one of fashion_mnist, cifar10, synthetic, a folder with" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["[red]", "[bold]x[", ":smile:", "a\\[b]"])
def test_names_of_classes_are_printed_as_they_are(name, tmp_path, capsys):
    folder(tmp_path, **{"b": [picture()] * 10, name: [picture()] * 10})
    main([str(tmp_path)])
    assert f"│ {name} " in capsys.readouterr().out
