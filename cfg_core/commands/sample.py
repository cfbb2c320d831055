"""A labelled grid from the command line: a row for each sample, a column for each w, all from the same noise.

python -m cfg_core sample --class Bag --w 0 1 3 --out bags.png
python -m cfg_core sample --class all --samples 1 --w 0 0.3 1 3 8 --sampler heun --steps 18
python -m cfg_core sample --again bags.png --out same-bags.png
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import LoadedModel
from cfg_core.commands.common import add_guidance_options, command_parser
from cfg_core.devices import choose_device, set_cpu_threads
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.files import check_writable
from cfg_core.grids.drawing import begin_grid, check_drawable, pixels
from cfg_core.grids.labels import find_class
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheets, read_requests, save_sheet
from cfg_core.parameters import assigned
from cfg_core.program import in_clone
from cfg_core.sampling.loop import generate
from cfg_core.serving.registry import load_model

SHIPPED = "checkpoints/fashion-mnist"


def parser() -> argparse.ArgumentParser:
    """The command line; ranges are those of GridRequest."""
    p = command_parser("sample", "Draw a labelled grid of guided samples.")
    model = p.add_argument_group("model")
    model.add_argument("--checkpoint", help=f"a folder, or a Hub name owner/name; by default {SHIPPED} of the project")
    model.add_argument("--guide", help="classifier that a rule may need; by default CHECKPOINT-guide, if it is there")
    model.add_argument(
        "--weaker", help="weaker sibling that a rule may need; by default CHECKPOINT-weak, if it is there"
    )
    model.add_argument("--device", help="cpu, cuda or mps; by default the best there is")
    grid = p.add_argument_group("grid")
    grid.add_argument(
        "--class", dest="classes", nargs="+", metavar="CLASS", default=["all"], help="labels, names of classes, or all"
    )
    add_guidance_options(grid, (0, 1, 3), GridRequest.rule, GridRequest.sampler)
    grid.add_argument("--samples", default="4", help="of each class")
    grid.add_argument("--steps", help="of the sampler; by default its own")
    grid.add_argument("--seed", default=GridRequest.seed, help="of the noise")
    grid.add_argument("--again", type=Path, help="a sheet saved before: draw its request, not that of these options")
    output = p.add_argument_group("output")
    output.add_argument("--out", type=Path, default=Path("sheet.png"), help="PNG file to write")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw and save the sheet; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    set_cpu_threads()
    try:
        checkpoint = load_model(
            describe_model(a.checkpoint or in_clone("checkpoint", SHIPPED)),
            choose_device(a.device),
            guide=a.guide,
            weaker=a.weaker,
        ).checkpoint
        beside = checkpoint.guide, checkpoint.weaker
        requests = read_requests(a.again) if a.again else (_request(a, checkpoint),)
        for request in requests:
            if request.checkpoint != checkpoint.hash:
                raise ValueError(
                    f"checkpoint must be {request.checkpoint}, which drew {a.again}, got {checkpoint.hash}"
                )
            check_drawable(checkpoint.denoiser, request.guided_by(*beside))
        requests = tuple(request.guided_by(*beside) for request in requests)
        check_writable("out", a.out)
        pictures = [_draw(checkpoint.denoiser, request) for request in requests]
        save_sheet(draw_sheets(requests, pictures, checkpoint.config.classes), a.out, *requests)
    except (ValueError, OSError) as error:
        p.error(str(error))
    for request in requests:
        print(f"{a.out}: {request.pictures} samples, {request.to_url(len(checkpoint.config.classes))}")


def _draw(denoiser: Denoiser, request: GridRequest) -> np.ndarray:
    job = begin_grid(denoiser, request)
    for state, _ in track(generate(denoiser, job), "denoising", total=request.evaluations):
        z = state.z
    return pixels(request, denoiser.pictures(z))


def _request(a: argparse.Namespace, checkpoint: LoadedModel) -> GridRequest:
    classes = checkpoint.config.classes
    labels = a.classes if a.classes == ["all"] else [find_class(each, classes) for each in a.classes]
    raw: dict[str, Any] = {
        "class": ",".join(labels),
        "w": a.w,
        "samples": a.samples,
        "sampler": a.sampler,
        "rule": a.rule,
        "seed": a.seed,
        "parameters": assigned(a.set),
    }
    if a.steps is not None:
        raw["steps"] = a.steps
    return GridRequest.parse(raw, checkpoint.hash, len(classes), checkpoint.guide, checkpoint.weaker)
