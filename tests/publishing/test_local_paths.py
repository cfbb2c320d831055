"""What is published names no path of the machine where it was made."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cfg_core.checkpoints.format import CARD, CONFIG, CheckpointConfig, save_checkpoint
from cfg_core.checkpoints.model_card import model_card
from cfg_core.checkpoints.public_names import local_paths, public_data_name, replace_paths
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.unet import UNetConfig
from cfg_core.publishing.hub import push
from cfg_core.publishing.spaces import published_texts
from tests.conftest import small_network
from tests.curve_files import record
from tests.fake_hub import FakeHub

OWN, HUB = "of whoever made the pictures", "see huggingface.co/owner/name"


@pytest.mark.parametrize(
    ("data", "licence", "expected"),
    [
        ("fashion_mnist", "MIT", "fashion_mnist"),
        ("owner/name", HUB, "owner/name"),
        ("owner/name:label", HUB, "owner/name:label"),
        ("/home/somebody/clients/pics", OWN, "pics"),
        ("clients/pics", OWN, "pics"),
        ("../pics/", OWN, "pics"),
        ("C:\\Users\\somebody\\pics", OWN, "pics"),
        ("pics", OWN, "pics"),
    ],
)
def test_a_data_set_is_published_under_its_own_name(data: str, licence: str, expected: str) -> None:
    assert public_data_name(data, licence) == expected


def test_paths_into_the_project_and_names_on_the_hub_stay_in_a_command() -> None:
    command = (
        "python -m cfg_core train --data /home/me/pics --run=/srv/me/run --start owner/name --note 'a b' "
        "--checkpoint checkpoints/cifar10 --out ../../me/x.json"
    )
    found = local_paths({"data": "/home/me/pics", "licence": OWN, "command": command})
    assert found == {"/home/me/pics": "pics", "/srv/me/run": "run", "../../me/x.json": "x.json"}


@pytest.mark.parametrize("path", ["/home/a b/it's/pics", "/home/é/pics", 'C:\\Users\\"me"\\pics'])
def test_a_path_is_replaced_however_json_spells_it(path: str) -> None:
    for text in (json.dumps({"data": path}), json.dumps({"data": path}, ensure_ascii=False), f"# Of {path}"):
        published = replace_paths(text, {path: "pics"})
        assert published in ('{"data": "pics"}', "# Of pics")


SECRET = "/home/somebody/private-clients/pics"
CONFIG_OF = CheckpointConfig(
    UNetConfig(1, 8, 2, (16, 32), (1, 1), (1, 1), embedding=32), Schedule(), "v", "v", ("zero", "one"), SECRET, OWN,
    0.1, 7, f"python -m cfg_core train --data {SECRET} --run /home/somebody/run",
)  # fmt: skip


def test_a_push_publishes_and_reports_no_local_path(hub: FakeHub, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "mine", CONFIG_OF, small_network(num_classes=2).state_dict(), model_card(CONFIG_OF))
    sentences: list[str] = []
    push(tmp_path / "mine", "someone/something", report=sentences.append)
    files = hub.files["models/someone/something"]
    assert not any(b"somebody" in files[name] for name in (CONFIG, CARD))
    published = CheckpointConfig.from_json(files[CONFIG].decode())
    assert published == replace(CONFIG_OF, data="pics", command="python -m cfg_core train --data pics --run run")
    assert "# A guided diffusion model of pics" in files[CARD].decode()
    assert sentences == [
        f"the path {SECRET} is published as pics",
        "the path /home/somebody/run is published as run",
    ]
    assert SECRET in (tmp_path / "mine" / CONFIG).read_text(encoding="utf-8"), "what lies here is left as it is"


def test_a_space_publishes_no_local_path(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "checkpoints" / "mine", CONFIG_OF, {}, model_card(CONFIG_OF))
    curves = tmp_path / "assets" / "curves"
    curves.mkdir(parents=True)
    model = {"name": "/home/somebody/run/checkpoint", "hash": "0123456789ab", "images_seen": 1}
    (curves / "mine.json").write_text(
        json.dumps(record(checkpoint=model, command=f"evaluate --data {SECRET}")), encoding="utf-8"
    )
    (curves / "broken.json").write_text("[", encoding="utf-8")
    texts, replaced = published_texts(tmp_path)
    assert set(texts) == {"checkpoints/mine/config.json", "checkpoints/mine/README.md", "assets/curves/mine.json"}
    assert not any(b"somebody" in text for text in texts.values())
    assert set(replaced) == {SECRET, "/home/somebody/run", "/home/somebody/run/checkpoint"}


def test_what_ships_names_no_local_path() -> None:
    assert published_texts() == ({}, {})
