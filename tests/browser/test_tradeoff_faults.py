"""Curve files that are missing, malformed or of another checkpoint are named on the Trade-off tab."""

import json
from pathlib import Path
from typing import Any

from cfg_core.serving.engine import Engine
from tests.curve_files import record, write

from .tradeoff_page import assert_shows, page_over, read_points


def test_a_missing_folder_is_named_and_the_papers_tables_are_still_shown(
    browser: Any, engine: Engine, tmp_path: Path
) -> None:
    with page_over(browser, engine, tmp_path / "curves") as page:
        assert page.get_by_role("alert").inner_text() == "There is no folder curves with curve files."
        assert page.locator(".tradeoff .sentence").inner_text().startswith("No curve has been measured.")
        assert not page.locator(".fid").is_visible()
        assert len(read_points(page, "second")) == 3 * 14


def test_malformed_files_and_those_of_another_checkpoint_are_named(
    browser: Any, engine: Engine, tmp_path: Path
) -> None:
    running = engine.checkpoint.hash
    old = {name: value for name, value in record().items() if name != "rule"}
    other = record(model="ffffffffffff")
    folder = write(tmp_path, {"main.json": record(model=running), "old.json": old, "other.json": other})
    (folder / "cut.json").write_text(json.dumps(record())[:500], encoding="utf-8")
    with page_over(browser, engine, folder) as page:
        message = page.locator('[role="alert"] p').all_inner_texts()
        assert message[0].startswith("cut.json is not JSON: ")
        assert message[1:] == [
            "old.json is not a curve file: the record lacks rule.",
            "other.json is of the checkpoint checkpoints/fashion-mnist (ffffffffffff), which is not offered here: it "
            "is not drawn.",
        ]
        assert_shows(page, "fid", [record(model=running)])


def test_curves_of_another_checkpoint_alone_are_named_and_drawn(browser: Any, engine: Engine, tmp_path: Path) -> None:
    with page_over(browser, engine, write(tmp_path, {"other.json": record(model="ffffffffffff")})) as page:
        assert "other.json is of the checkpoint" in page.get_by_role("alert").inner_text()
        assert "its points do not open in Explore" in page.get_by_role("alert").inner_text()
        assert_shows(page, "fid", [record()])
