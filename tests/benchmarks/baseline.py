"""The usual app, one whole job after the other through Gradio's queue: the baseline of the classroom benchmark.

python -m tests.benchmarks.baseline CHECKPOINT PORT
"""

import sys
from collections.abc import Iterator

import gradio as gr
import numpy as np

from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.devices import set_cpu_threads
from cfg_core.grids.drawing import draw_grid
from cfg_core.grids.request import GridRequest


def main(folder: str, port: int) -> None:
    set_cpu_threads()
    checkpoint = load_checkpoint(folder)

    def draw(label: int, seed: int, w: float) -> Iterator[list[np.ndarray]]:
        shown: list[np.ndarray] = []
        for each in (w, 0.0):  # the guided grid first, and it is sent at once
            request = GridRequest(checkpoint.hash, (int(label),), w=(each,), seed=int(seed))
            pictures = draw_grid(checkpoint.denoiser, request)[0, 0, ..., 0]
            shown.append(np.block([list(pictures[4 * row : 4 * row + 4]) for row in range(4)]))
            yield shown

    with gr.Blocks(analytics_enabled=False) as page:
        inputs = [gr.Number(), gr.Number(), gr.Number()]
        gr.Button().click(draw, inputs, gr.Gallery(format="png"), api_name="draw")
    page.launch(server_name="127.0.0.1", server_port=port, quiet=True, run_history=False, ssr_mode=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
