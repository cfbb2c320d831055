import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import OfflineModeIsEnabled

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.classifiers import ClassifierConfig, find_classifier
from cfg_core.checkpoints.format import CONFIG as CONFIG_FILE
from cfg_core.checkpoints.format import (
    WEIGHTS,
    CheckpointConfig,
    CheckpointError,
    load_checkpoint,
    read_config,
    save_checkpoint,
)
from cfg_core.devices import choose_device
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.unet import UNet, UNetConfig

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "fashion-mnist"
CONFIG = CheckpointConfig(
    architecture=UNetConfig(1, 8, 2, widths=(16,), encoder=(1,), decoder=(1,)),
    schedule=Schedule(),
    prediction="v",
    loss_weight="v",
    classes=("zero", "one"),
    data="synthetic",
    licence="CC0-1.0",
    p_uncond=0.1,
    images_seen=0,
    command="",
)


@pytest.fixture
def folder(tmp_path):
    save_checkpoint(tmp_path, CONFIG, UNet(CONFIG.architecture).state_dict(), "# A card\n")
    return tmp_path


def spoil(folder, **fields):
    raw = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    (folder / CONFIG_FILE).write_text(json.dumps(raw | fields), encoding="utf-8")


def test_a_saved_checkpoint_loads_as_it_was(folder):
    loaded = load_checkpoint(folder)
    assert loaded.config == CONFIG
    assert loaded.denoiser.classes == ("zero", "one")
    again = load_checkpoint(folder)
    assert again.hash == loaded.hash
    weights = zip(loaded.denoiser.network.parameters(), again.denoiser.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_other_weights_have_another_hash(folder):
    before = load_checkpoint(folder).hash
    save_checkpoint(folder, CONFIG, UNet(CONFIG.architecture).state_dict())
    assert load_checkpoint(folder).hash != before


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("prediction", "x", "prediction must be one of v, got 'x'"),
        ("p_uncond", 2, "p_uncond must be a number from 0 to 1, got 2"),
        ("images_seen", -1, "images_seen must be a whole number"),
        ("classes", ["zero"], r"classes must be 2 names, got \('zero',\)"),
        ("data", 3, "data must be a text, got 3"),
        ("title", "two\nlines", "title must have no control characters|title must be one line"),
        ("opens_on", "two", "opens_on must be one of , zero, one, got 'two'"),
        ("schedule", {"log_snr_min": 3, "log_snr_max": -3}, "log_snr_min must be finite and below log_snr_max"),
        (
            "schedule",
            {"log_snr_min": "low", "log_snr_max": 3},
            "log_snr_min must be a number from -100 to 100, got 'low'",
        ),
        ("architecture", {}, "architecture lacks the fields"),
        ("architecture", 7, "architecture must be an object, got 7"),
        ("surprise", 1, r"unknown fields \['surprise'\]"),
    ],
)
def test_a_config_with_one_wrong_field_is_named(folder, field, value, message):
    spoil(folder, **{field: value})
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


def test_a_wrong_architecture_field_is_named(folder):
    architecture = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))["architecture"]
    spoil(folder, architecture=architecture | {"widths": ["wide"]})
    with pytest.raises(CheckpointError, match="widths must be a whole number from 16 to 2048, got 'wide'"):
        load_checkpoint(folder)


def test_a_config_that_is_no_json_is_refused(folder):
    (folder / CONFIG_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json is not valid"):
        load_checkpoint(folder)


def test_a_truncated_checkpoint_is_refused(folder):
    weights = folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cut off or not a safetensors file"):
        load_checkpoint(folder)


def test_a_pickle_under_the_name_of_weights_is_refused(folder):
    torch.save(UNet(CONFIG.architecture).state_dict(), folder / WEIGHTS)
    with pytest.raises(CheckpointError, match="cut off or not a safetensors file"):
        load_checkpoint(folder)


def test_a_pickle_checkpoint_is_never_read(folder):
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"no model\.safetensors; pytorch_model\.bin is a pickle"):
        load_checkpoint(folder)


def test_weights_of_another_architecture_are_refused(folder):
    save_checkpoint(folder, CONFIG, UNet(UNetConfig(1, 8, 3, widths=(16,), encoder=(1,), decoder=(1,))).state_dict())
    with pytest.raises(CheckpointError, match="label_embedding"):
        load_checkpoint(folder)


@pytest.mark.parametrize("where", ["nowhere", "a/b/c", "../up/there", ""])
def test_what_is_neither_folder_nor_hub_name_is_refused(where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / ".." / tmp_path.name)
    if where == "":
        where = str(tmp_path / "absent")
    with pytest.raises(CheckpointError, match="neither a folder nor a Hub name"):
        load_checkpoint(where)


def test_a_hub_name_that_cannot_be_had_is_one_sentence(monkeypatch):
    def unreachable(*_, **__):
        raise OfflineModeIsEnabled("offline mode is enabled")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(CheckpointError, match="from the Hub: the Hub is not asked, because HF_HUB_OFFLINE"):
        load_checkpoint("someone/something")


def test_a_hub_name_is_pulled_without_pickles(folder, monkeypatch):
    asked = {}

    def snapshot(repository, allow_patterns):
        asked.update(repository=repository, patterns=allow_patterns)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert load_checkpoint("someone/something").config == CONFIG
    patterns = ["model.safetensors", "config.json", "README.md", "real.png"]
    assert asked == {"repository": "someone/something", "patterns": patterns}


def test_a_device_that_is_not_here_is_named():
    with pytest.raises(ValueError, match="device must be one of cpu"):
        choose_device("abacus")
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted as Linux lists them")
def test_the_thread_that_loads_gets_no_helpers() -> None:
    """A thread's OpenMP helpers stay; with those of the thread that draws there would be more than cores."""
    code = f"""
import os, torch
from cfg_core.checkpoints.format import load_checkpoint
torch.set_num_threads(2)
before = len(os.listdir("/proc/self/task"))
load_checkpoint({str(SHIPPED)!r})
print(len(os.listdir("/proc/self/task")) - before, torch.get_num_threads())
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert found.stdout.split() == ["0", "2"]


def old_config() -> str:
    """config.json as it was written before it had a version."""
    return json.dumps(
        {
            "architecture": {
                "channels": 1, "size": 8, "num_classes": 2, "widths": [16], "encoder": [1], "decoder": [1],
                "late": True, "patch": 2, "embedding": 128,
            },
            "schedule": {"log_snr_min": -20.0, "log_snr_max": 20.0},
            "prediction": "v", "loss_weight": "v", "classes": ["zero", "one"], "data": "synthetic",
            "licence": "CC0-1.0", "p_uncond": 0.1, "images_seen": 0, "command": "", "finished": True,
        }
    )  # fmt: skip


def test_a_config_without_a_version_is_of_the_first(folder):
    assert CheckpointConfig.from_json(old_config()) == CONFIG
    written = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    assert written.pop("version") == 1
    assert written == json.loads(old_config()) | {"title": "", "opens_on": ""}


def test_fields_with_a_default_may_be_absent(folder):
    raw = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    del raw["finished"], raw["architecture"]["late"], raw["schedule"]["log_snr_min"]
    assert CheckpointConfig.from_json(json.dumps(raw)) == CONFIG


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_version_that_is_not_known_is_refused(folder, version):
    spoil(folder, version=version)
    with pytest.raises(CheckpointError, match="version must be a whole number from 1 to 1, got"):
        load_checkpoint(folder)


def test_a_title_and_the_class_it_opens_on_are_no_part_of_a_models_hash(folder):
    plain = load_checkpoint(folder)
    assert (plain.config.title, plain.config.opening_label) == ("", 0)
    spoil(folder, title="Two digits, grey", opens_on="one")
    named = load_checkpoint(folder)
    assert (named.config.title, named.config.opening_label) == ("Two digits, grey", 1)
    assert named.hash == plain.hash


def named_in(raw, written):
    """What was written, without the fields that a file does not name."""
    ours = {name: written[name] for name in raw}
    return {name: named_in(raw[name], each) if isinstance(each, dict) else each for name, each in ours.items()}


@pytest.mark.parametrize("path", sorted(SHIPPED.parent.iterdir()), ids=lambda path: path.name)
def test_every_checkpoint_that_ships_opens_as_what_its_file_says(path):
    raw = json.loads((path / CONFIG_FILE).read_text(encoding="utf-8"))
    kind = ClassifierConfig if "test_accuracy" in raw else CheckpointConfig
    config, _ = read_config(path, kind.from_json)
    assert named_in(raw, json.loads(config.to_json())) == raw


@pytest.mark.parametrize("field", ["classes", "data"])
def test_names_that_are_not_utf_8_are_refused(folder, field):
    spoil(folder, **{field: ["zero", "caf\udce9"] if field == "classes" else "caf\udce9"})
    with pytest.raises(CheckpointError, match=rf"{field} must be valid UTF-8, got 'caf"):
        load_checkpoint(folder)


def test_a_config_that_is_nested_too_deeply_is_refused(folder):
    (folder / CONFIG_FILE).write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json is not valid"):
        load_checkpoint(folder)


@pytest.mark.parametrize("spelling", ["{}/", "{}/.", "{0}/../mine"])
def test_however_a_folder_is_spelled_its_name_and_its_classifiers_are_found(tmp_path, spelling):
    folder = tmp_path / "mine"
    save_checkpoint(folder, CONFIG, UNet(CONFIG.architecture).state_dict())
    (tmp_path / "mine-guide").mkdir()
    info = describe_model(spelling.format(folder))
    assert (info.name, info.where) == ("mine", str(folder))
    assert find_classifier(spelling.format(folder), "guide", CONFIG) == tmp_path / "mine-guide"


def test_the_current_folder_has_a_name_and_classifiers(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "mine", CONFIG, UNet(CONFIG.architecture).state_dict())
    (tmp_path / "mine-classifier").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert describe_model(".").name == "mine"
    assert find_classifier(".", "classifier", CONFIG) == tmp_path / "mine-classifier"
