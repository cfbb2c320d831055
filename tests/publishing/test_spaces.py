"""The page as a Space, over real HTTP to a Hub on this machine: what is uploaded, and what happens where it fails."""

from pathlib import Path

import pytest
import yaml

from cfg_core.checkpoints.format import MAX_FILE_BYTES, CheckpointError
from cfg_core.commands.hub import main
from cfg_core.publishing.spaces import ROOT, SPACE_FILES, deploy, space_files
from tests.fake_hub import FakeHub
from tests.publishing.sentences import BROKEN, CUT, UNKNOWN


def test_a_space_holds_the_project_and_nothing_too_large(hub: FakeHub) -> None:
    assert deploy("someone/lab") == f"{hub.address}/spaces/someone/lab"
    assert hub.created[0]["sdk"] == "gradio"
    uploaded = hub.files["spaces/someone/lab"]
    assert set(uploaded) == {path.as_posix() for path in space_files()}
    assert {
        "app.py",
        "README.md",
        "requirements.txt",
        "cfg_core/networks/unet.py",
        "checkpoints/fashion-mnist/config.json",
    } <= set(uploaded)
    assert not any("__pycache__" in name or name.startswith(("runs", ".venv", "tests")) for name in uploaded)
    assert max(map(len, uploaded.values())) < MAX_FILE_BYTES


def test_a_space_offers_the_models_it_was_deployed_with(hub: FakeHub) -> None:
    deploy("someone/lab", ["someone/dit", "someone/unet@refs/pr/1"])
    [(name, models)] = hub.variables["someone/lab"].items()
    assert (name, models) == ("GUIDANCE_LAB_CHECKPOINTS", "someone/dit someone/unet@refs/pr/1")
    needed = hub.files["spaces/someone/lab"]["requirements.txt"].decode().splitlines()
    assert needed == [*(ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines(), "diffusers>=0.35"]


def test_deployed_again_without_models_a_space_offers_those_that_ship_alone(hub: FakeHub) -> None:
    deploy("someone/lab", ["someone/dit"])
    hub.variables["someone/lab"]["OTHER"] = "its owner's"
    deploy("someone/lab")
    assert hub.variables["someone/lab"] == {"OTHER": "its owner's"}
    uploaded = hub.files["spaces/someone/lab"]["requirements.txt"]
    assert uploaded == (ROOT / "requirements.txt").read_bytes()


@pytest.mark.parametrize(
    ("where", "fault", "sentence"),
    [
        ("/commit/", 401, f"someone/lab could not be deployed: {UNKNOWN}"),
        ("/commit/", 500, f"someone/lab could not be deployed: {BROKEN}"),
        ("/commit/", "cut", f"someone/lab could not be deployed: {CUT}"),
        ("/variables", 500, f"someone/lab was uploaded, but GUIDANCE_LAB_CHECKPOINTS could not be set: {BROKEN}"),
    ],
)
def test_a_space_that_is_refused_is_one_sentence(hub: FakeHub, where: str, fault: int | str, sentence: str) -> None:
    hub.fault[where] = fault
    with pytest.raises(CheckpointError) as refused:
        deploy("someone/lab", ["someone/dit"])
    assert str(refused.value) == sentence
    assert hub.variables == {}
    assert bool(hub.files.get("spaces/someone/lab")) is (where == "/variables"), "all of it or nothing"


def test_the_header_of_the_readme_is_what_a_space_needs() -> None:
    _, header, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    said = yaml.safe_load(header)
    assert said["sdk"] == "gradio"
    assert said["app_file"] == "app.py"
    assert said["sdk_version"] in (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert said["colorFrom"] in COLOURS
    assert said["colorTo"] in COLOURS
    assert len(said["short_description"]) <= 60
    assert str(said["python_version"]) == "3.12"


COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


def test_a_file_that_is_too_large_for_a_space_is_named(tmp_path: Path) -> None:
    for name in SPACE_FILES:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "app.py").write_bytes(b"\0" * (MAX_FILE_BYTES + 1))
    with pytest.raises(
        CheckpointError, match=r"app\.py must have at most 10,000,000 bytes for a Space, got 10,000,001"
    ):
        space_files(tmp_path)


def test_a_dry_run_asks_nobody(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    main(["deploy", "--space", "someone/lab", "--dry-run"])
    assert hub.calls == []
    assert capsys.readouterr().out.endswith(" bytes, would be uploaded to the Space someone/lab\n")
    main(["deploy", "--space", "someone/lab", "--checkpoint", "someone/dit", "someone/unet", "--dry-run"])
    assert hub.calls == []
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "requirements.txt would get the line diffusers>=0.35",
        "GUIDANCE_LAB_CHECKPOINTS would be someone/dit someone/unet",
    ]


def test_a_space_is_not_deployed_with_what_is_no_name_on_the_hub(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deploy", "--space", "someone/lab", "--checkpoint", "./runs/mine"])
    assert ended.value.code == 2
    sentence = "argument --checkpoint: must be owner/name or owner/name@revision on the Hub, got './runs/mine'"
    assert capsys.readouterr().err.splitlines()[-1].endswith(sentence)
    assert hub.calls == []
