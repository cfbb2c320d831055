"""``python -m cfg_core measure`` on a small project: everything anew, nothing twice."""

import json
import shutil
from pathlib import Path

import pytest

from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.checkpoints.model_folder import REAL
from cfg_core.commands import evaluate, measure
from cfg_core.data.class_sheet import read_about
from cfg_core.evaluation import run
from cfg_core.evaluation.curves import read_curves
from cfg_core.evaluation.documents import documents, with_figures
from cfg_core.grids.ladder import rail
from cfg_core.grids.request import GridRequest
from cfg_core.serving.precomputed import draw_frame, load_strips, save_strips
from tests.small_models import save_classifier, save_model

README = """# A project

<!-- figures: model; w = 1; metrics = fid, recall; intervals = fid -->
typed by hand
<!-- end of figures -->
"""


def options(out: str, *others: str) -> list[str]:
    models = ["--checkpoint", "checkpoints/model", "--classifier", "checkpoints/model-classifier"]
    few = ["--samples", "1000", "--steps", "1", "--w", "0", "1"]
    return [*models, *few, *others, "--out", f"assets/curves/{out}.json"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a model, two curves of it, a grid that ships and a document; measured, then of other weights."""
    project = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        model = save_model(Path("checkpoints/model"))
        save_classifier(Path("checkpoints/model-classifier"))
        Path("README.md").write_text(README, encoding="utf-8")
        evaluate.main(options("later", "--sampler", "ddim", "--w", "1"))
        evaluate.main(options("model"))
        grid = GridRequest(load_checkpoint(model).hash, (1,), samples=2, steps=1)
        save_strips(Path("assets/strips/model.npz"), [draw_frame(load_checkpoint(model).denoiser, grid)])
        save_model(model, seed=1)
    return project


@pytest.fixture
def project(measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(measured, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def test_all_that_is_of_other_weights_is_made_anew_the_main_curve_first(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    monkeypatch.setattr(measure, "run", lambda sweep, *rest: order.append(sweep.out.stem) or run.run(sweep, *rest))
    measure.main(["model"])
    assert order == ["model", "later"]
    checkpoint = load_checkpoint("checkpoints/model")
    classifier = load_classifier("checkpoints/model-classifier")
    found = read_curves(project / "assets" / "curves")
    assert found.problems == ()
    assert {curve.checkpoint for group in found.groups for curve in group.curves} == {checkpoint.hash}
    assert found.main is not None
    assert found.main.record["command"].startswith("python -m cfg_core evaluate --checkpoint checkpoints/model ")
    frames = load_strips(project / "assets" / "strips", checkpoint.hash, classifier.hash)
    grid = GridRequest(checkpoint.hash, (1,), samples=2, steps=1)
    assert {frame.request for frame in frames} == {grid, rail(checkpoint.hash, 4)}
    assert all(frame.meter for frame in frames)
    about = read_about(project / "checkpoints" / "model" / REAL)
    assert (about["data"], about["licence"], about["columns"]) == ("synthetic", "CC0-1.0", 16)
    card = (project / "checkpoints" / "model" / "README.md").read_text(encoding="utf-8")
    assert f"16 training pictures of each class. Data: synthetic, licence CC0-1.0.]({REAL})" in card
    assert "| 1 | " in card
    assert "typed by hand" not in (project / "README.md").read_text(encoding="utf-8")
    for path in documents(project):
        assert with_figures(path.read_text(encoding="utf-8"), project) == path.read_text(encoding="utf-8")


class Killed(BaseException):
    pass


def test_what_was_finished_before_a_kill_is_kept_and_nothing_is_made_twice(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def killed_at_the_second(sweep, *rest):
        if sweep.out.stem == "later":
            raise Killed
        return run.run(sweep, *rest)

    monkeypatch.setattr(measure, "run", killed_at_the_second)
    with pytest.raises(Killed):
        measure.main(["model"])
    first = json.loads(Path("assets/curves/model.json").read_text(encoding="utf-8"))
    assert first["checkpoint"]["hash"] == load_checkpoint("checkpoints/model").hash
    monkeypatch.setattr(measure, "run", run.run)
    measure.main(["model"])
    assert json.loads(Path("assets/curves/model.json").read_text(encoding="utf-8")) == first
    assert "1 curves measured; " in capsys.readouterr().out
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.rglob("*.*") if path.is_file()}
    monkeypatch.setattr(measure, "run", lambda *_: pytest.fail("measured again"))
    measure.main(["model"])
    assert "0 curves measured; no document written" in capsys.readouterr().out
    unchanged = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before}
    card = project / "checkpoints" / "model" / "README.md"
    assert {path for path in before if unchanged[path] != before[path]} <= {card}
    assert unchanged[card][0] == before[card][0]


def test_a_model_without_a_curve_gets_its_main_one(project: Path) -> None:
    for path in (project / "assets" / "curves").iterdir():
        path.unlink()
    [options] = measure.due("model")
    assert options[:4] == ["--checkpoint", "checkpoints/model", "--classifier", "checkpoints/model-classifier"]
    assert options[-2:] == ["--out", "assets/curves/model.json"]


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("other", lambda: None, "name must be that of a folder in checkpoints/, got other"),
        ("model", lambda: Path("assets/curves/bad.json").write_text("{", encoding="utf-8"), "bad.json is not JSON"),
        ("model-classifier", lambda: None, "config has the unknown fields"),
    ],
)
def test_bad_input_is_refused_in_one_sentence_before_anything_is_measured(
    name: str, spoil, message: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil()
    monkeypatch.setattr(measure, "run", lambda *_: pytest.fail("measured"))
    with pytest.raises(SystemExit) as ended:
        measure.main([name])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_document_that_asks_for_what_is_not_there_is_named_and_the_others_are_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure.main(["model"])
    (project / "docs").mkdir()
    (project / "docs" / "a.md").write_text("<!-- figures: absent -->\n<!-- end of figures -->\n", encoding="utf-8")
    (project / "docs" / "b.md").write_text(README, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        measure.main(["model"])
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert "0 curves measured; docs/b.md written" in said.out
    assert "error: docs/a.md: curve must be one of later, model, got 'absent'" in said.err
