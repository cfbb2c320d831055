"""The app most people would write: one job after the other through Gradio's queue. Reference of the classroom.

python -m tests.benchmarks.plain CHECKPOINT PORT
"""

import sys

import gradio as gr
import torch

from cfg_core import hub
from cfg_core.grid import begin_grid, pixels
from cfg_core.request import GridRequest
from cfg_core.sampling import sample


def main(folder: str, port: int) -> None:
    checkpoint = hub.load(folder)

    @torch.inference_mode()
    def draw(label: int, seed: int, w: float) -> list[int]:
        both = (GridRequest(checkpoint.hash, (label,), w=(each,), seed=seed) for each in (0.0, w))
        grids = [pixels(r, sample(checkpoint.denoiser, begin_grid(checkpoint.denoiser, r))) for r in both]
        return [int(grid.sum()) for grid in grids]

    with gr.Blocks(analytics_enabled=False) as page:
        gr.api(draw, api_name="draw")
    page.launch(server_name="127.0.0.1", server_port=port, quiet=True, run_history=False, ssr_mode=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
