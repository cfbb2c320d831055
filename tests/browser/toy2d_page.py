"""Reading the 2-D lab: each figure on the page must be what the Python function gives for its link."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cfg_core.toy2d.drawing import draw_scene
from cfg_core.toy2d.scene import Scene

TAB = "?tab=toy2d&toy2d_steps=10&toy2d_points=100"
SMALL = Scene(steps=10, points=100)
IDLE = "() => document.querySelector('.toy2d')?.dataset.state === 'idle'"


def settled(page: Any) -> Any:
    page.wait_for_function(IDLE)
    return page


def linked(page: Any) -> Scene:
    """The scene that the address bar names, where Explore shows the default w and class."""
    given = {k.removeprefix("toy2d_"): v for k, v in parse_qsl(urlsplit(page.url).query) if k.startswith("toy2d_")}
    named = {k: v if k in ("sampler", "density", "rule") else json.loads(f"[{v}]") for k, v in given.items()}
    fields = {k: v[0] if isinstance(v, list) and k not in ("means", "owners") else v for k, v in named.items()}
    if "means" in fields:
        fields["means"] = [fields["means"][n : n + 2] for n in range(0, len(fields["means"]), 2)]
    return Scene.parse(fields)


def holds(page: Any, **changes: Any) -> Scene:
    """Once the page is idle: the link is of this scene, and the figures and words are those of the link."""
    settled(page)
    scene = linked(page)
    assert scene == replace(SMALL, **changes)
    drawn, lab = draw_scene(scene), page.locator(".toy2d")
    assert float(lab.get_attribute("data-distance")) == drawn.distance
    assert float(lab.get_attribute("data-baseline")) == drawn.exact_distance
    assert lab.locator(".mine b").inner_text() == f"{drawn.distance:.2f}"
    assert lab.locator(".exact b").inner_text() == f"{drawn.exact_distance:.2f}"
    assert f"distance {drawn.distance:.2f}" in lab.locator(".sentence").inner_text()
    assert lab.locator(".strength output b").inner_text() == f"w = {scene.w:.1f}"
    assert lab.locator(".strength output small").inner_text() == f"scale s = 1 + w = {1 + scene.w:.1f}"
    return scene
