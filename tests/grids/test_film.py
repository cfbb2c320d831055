"""A film has all its frames, in order, and loops."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cfg_core.grids.film import film, film_frame
from cfg_core.grids.request import GridRequest


@pytest.mark.parametrize("file_format", ["webp", "gif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_film_shows_its_frames_in_order_and_loops(file_format: str, channels: int) -> None:
    request = GridRequest("a", (0,), samples=4)
    greys = [10, 90, 170, 250]
    frames = [
        film_frame(request, np.full((1, 1, 4, 8, 8, channels), grey, np.uint8), f"step {n} of 4")
        for n, grey in enumerate(greys, 1)
    ]
    with Image.open(BytesIO(film(frames, file_format))) as opened:
        assert (opened.format, opened.n_frames, opened.info["loop"]) == (file_format.upper(), 4, 0)
        for n, grey in enumerate(greys):
            opened.seek(n)
            shown = np.asarray(opened.convert("RGB"))
            assert tuple(shown[40, 10]) == (grey, grey, grey)


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="file_format must be one of webp, gif, got 'mp4'"):
        film([], "mp4")
