"""The curve files of a folder: how they are grouped, and which of them compare."""

from pathlib import Path

from cfg_core.evaluation.curves import read_curves
from tests.curve_files import FOUR, MODEL, record, write


def test_the_curves_are_grouped_as_the_paper_asks(tmp_path: Path) -> None:
    found = read_curves(write(tmp_path), [MODEL])
    assert found.problems == ()
    assert found.main is not None
    assert found.main.file == "main.json"
    titles = {group.name: [each.title for each in group.curves] for group in found.groups}
    assert titles == {
        "strength": ["CFG"],
        "p_uncond": ["p_uncond = 0.1", "p_uncond = 0.2", "p_uncond = 0.5"],
        "steps": ["T = 8", "T = 16", "T = 32", "T = 64", "T = 128", "T = 256"],
        "method": ["CFG", "classifier guidance", "classifier, unconditional", "CFG by Bayes' rule"],
    }


def test_steps_may_be_compared_on_a_model_of_their_own(tmp_path: Path) -> None:
    small = {f"steps-{T}.json": record(FOUR, "0123456789cd", sampler="ancestral", steps=T) for T in (8, 64)}
    found = read_curves(write(tmp_path, {"main.json": record(), **small}), [MODEL])
    assert {group.name: len(group.curves) for group in found.groups} == {"strength": 1, "steps": 2}
    assert found.problems == ()


def test_only_groups_with_files_exist(tmp_path: Path) -> None:
    alone = {"main.json": record(), "steps-8.json": record(FOUR, sampler="ancestral", steps=8)}
    found = read_curves(write(tmp_path, alone), [MODEL])
    assert [group.name for group in found.groups] == ["strength"]
    assert [each.title for each in found.groups[0].curves] == ["dpmpp_2m, T = 12", "ancestral, T = 8"]


def test_a_missing_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    assert read_curves(tmp_path / "curves").problems == ("There is no folder curves with curve files.",)
    empty = write(tmp_path / "empty", {})
    assert read_curves(empty).problems == ("The folder empty holds no curve file that can be used.",)
    (empty / "a.json").write_text("{", encoding="utf-8")
    first, second = read_curves(empty).problems
    assert first.startswith("a.json is not JSON: ")
    assert second == "The folder empty holds no curve file that can be used."


def test_a_bad_file_does_not_hide_the_good_ones(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "bad.json").write_bytes(b"\xff\xfe")
    (folder / "dir.json").mkdir()
    found = read_curves(folder, [MODEL])
    assert len(found.groups) == 4
    assert [problem.split()[0] for problem in found.problems] == ["bad.json", "dir.json"]


def test_figures_of_another_extractor_are_left_out_in_one_sentence(tmp_path: Path) -> None:
    other = {"name": "another", "hash": "ffffffffffff", "test_accuracy": 0.9}
    found = read_curves(write(tmp_path, {"main.json": record(), "new.json": record(FOUR, classifier=other)}), [MODEL])
    assert [each.file for group in found.groups for each in group.curves] == ["main.json"]
    [problem] = found.problems
    assert problem.startswith(
        "new.json was measured over 64 penultimate features of the classifier ffffffffffff, main.json over"
    )
    assert problem.endswith("their figures do not compare.")


def test_other_pictures_have_groups_of_their_own(tmp_path: Path) -> None:
    extractor = {"name": "another", "hash": "ffffffffffff", "test_accuracy": 0.8}
    colour = {
        name: record(FOUR, "cccccccccccc", data="cifar10", classifier=extractor, rule=name) for name in ("cfg", "bayes")
    }
    files = {"main.json": record(), **{f"colour-{name}.json": each for name, each in colour.items()}}
    found = read_curves(write(tmp_path, files), [MODEL, "cccccccccccc"])
    assert found.problems == ()
    assert {group.name: group.title for group in found.groups} == {
        "strength": "Guidance strength",
        "strength-cifar10": "Guidance strength, cifar10",
        "method-cifar10": "Method, cifar10",
    }
    assert {model: curve.file for model, curve in found.of_models.items()} == {
        MODEL: "main.json",
        "cccccccccccc": "colour-cfg.json",
    }


def test_a_curve_of_another_checkpoint_is_named_and_drawn_where_there_is_no_better(tmp_path: Path) -> None:
    stale = write(tmp_path / "a", {"old.json": record(model="oldoldoldold")})
    found = read_curves(stale, [MODEL])
    assert found.problems == (
        "old.json is of the checkpoint checkpoints/fashion-mnist (oldoldoldold), which is not offered here: its points "
        "do not open in Explore.",
    )
    assert [group.name for group in found.groups] == ["strength"]
    both = read_curves(write(stale, {"new.json": record(FOUR)}), [MODEL])
    assert both.main is not None
    assert both.main.file == "new.json"
    assert both.problems[0].endswith("which is not offered here: it is not drawn.")
