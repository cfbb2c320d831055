"""A saved sheet shows every picture once and carries its requests."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import METADATA, draw_sheets, read_requests, save_sheet

CLASSES = ("Ant", "Bee", "Cat")


def unlike_pictures(request: GridRequest) -> np.ndarray:
    """Pictures of which each has a grey of its own."""
    shape = (len(request.w), len(request.classes), request.samples)
    greys = np.arange(1, np.prod(shape) + 1, dtype=np.uint8).reshape(*shape, 1, 1, 1)
    return np.broadcast_to(greys, (*shape, 8, 8, 1))


@pytest.mark.parametrize(
    "request_of",
    [{"w": (3.0,), "samples": 5}, {"w": (0.0, 1.0, 2.0)}, {"w": (0.0, 3.0), "samples": 9}, {"classes": (0, 1, 2)}],
)
def test_every_picture_is_on_the_sheet_once(request_of: dict) -> None:
    request = GridRequest("a", **({"classes": (1,), "samples": 4} | request_of))
    sheet = np.asarray(draw_sheets([request], [unlike_pictures(request)], CLASSES))
    for grey in range(1, request.pictures + 1):
        assert (sheet == grey).all(2).sum() == (3 * 8) ** 2, grey


def test_two_grids_stand_side_by_side_and_both_requests_are_in_the_file(tmp_path: Path) -> None:
    requests = (GridRequest("a", (1,), samples=4), GridRequest("a", (1,), samples=4, rule="interval"))
    pictures = [unlike_pictures(request) + 40 * n for n, request in enumerate(requests)]
    sheet = draw_sheets(requests, pictures, CLASSES)
    for grey in (1, 4, 41, 44):
        assert (np.asarray(sheet) == grey).all(2).sum() == (3 * 8) ** 2, grey
    save_sheet(sheet, tmp_path / "new" / "both.png", *requests)
    assert read_requests(tmp_path / "new" / "both.png") == requests


def test_grids_of_two_models_stand_under_the_titles_of_the_models_with_room_for_them() -> None:
    requests = [GridRequest(checkpoint, (1,), samples=4) for checkpoint in ("a", "b")]
    pictures = [unlike_pictures(request) for request in requests]
    titles = {"a": "A title", "b": "One that is longer"}
    titled = draw_sheets(requests, pictures, CLASSES, titles)
    assert titled.width > draw_sheets(requests, pictures, CLASSES).width
    of_one = draw_sheets([requests[0]] * 2, [pictures[0]] * 2, CLASSES, titles)
    assert of_one.width == draw_sheets([requests[0]] * 2, [pictures[0]] * 2, CLASSES).width, (
        "not told where both are one"
    )


@pytest.mark.parametrize("text", ["[", "[" * 100_000, "[1]", "{}", "[{}]"])
def test_what_carries_no_requests_is_refused(tmp_path: Path, text: str) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text(METADATA, text)
    Image.new("L", (1, 1)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(ValueError, match=r"must be|carries"):
        read_requests(tmp_path / "a.png")


def test_a_sheet_can_be_written_to_memory() -> None:
    request, file = GridRequest("a", (0,), samples=1), BytesIO()
    save_sheet(draw_sheets([request], [unlike_pictures(request)], CLASSES), file, request)
    assert file.getvalue().startswith(b"\x89PNG")
