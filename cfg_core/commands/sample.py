"""A labelled grid from the command line: a row for each sample, a column for each w, all from the same noise.

python -m cfg_core sample --class Bag --w 0 1 3 --out bags.png
python -m cfg_core sample --class all --samples 1 --w 0 0.3 1 3 8 --sampler heun --steps 18
python -m cfg_core sample --again bags.png --out same-bags.png
"""

import argparse
from pathlib import Path
from typing import Any

from rich.progress import track

from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.format import LoadedModel
from cfg_core.devices import choose_device, set_cpu_threads
from cfg_core.grids.drawing import begin_grid, check_drawable, pixels
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet, read_request, save_sheet
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import assigned
from cfg_core.sampling.loop import generate
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.registry import load_model


def parser() -> argparse.ArgumentParser:
    """The command line; ranges are those of GridRequest."""
    p = argparse.ArgumentParser("python -m cfg_core sample", description="Draw a labelled grid of guided samples.")
    p.add_argument("--checkpoint", default="checkpoints/fashion-mnist", help="a folder, or a Hub name owner/name")
    p.add_argument("--class", dest="classes", nargs="+", default=["all"], help="labels, names of classes, or all")
    p.add_argument("--w", nargs="+", default=["0", "1", "3"], help="guidance strengths, −1 to 8")
    p.add_argument("--samples", default="4", help="samples of each class, 1 to 64")
    p.add_argument("--sampler", default="dpmpp_2m", help=f"one of {', '.join(SAMPLERS)}")
    p.add_argument("--steps", help="steps of the sampler; by default its own")
    p.add_argument("--rule", default="cfg", help=f"one of {', '.join(RULES)}")
    p.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of rule or sampler")
    p.add_argument("--guide", help="classifier that a rule may need; by default CHECKPOINT-guide, if it is there")
    p.add_argument("--seed", default="7")
    p.add_argument("--again", type=Path, help="a sheet saved before: draw its request, ignoring the options above")
    p.add_argument("--device", help="cpu, cuda or mps; by default the best there is")
    p.add_argument("--out", type=Path, default=Path("sheet.png"))
    return p


def main(arguments: list[str] | None = None) -> None:
    """Draw and save the sheet; exits with 2 and one sentence on bad input."""
    p = parser()
    a = p.parse_args(arguments)
    set_cpu_threads()
    try:
        checkpoint = load_model(describe_model(a.checkpoint), choose_device(a.device), guide=a.guide).checkpoint
        request = read_request(a.again) if a.again else _request(a, checkpoint)
        if request.checkpoint != checkpoint.hash:
            raise ValueError(f"checkpoint must be {request.checkpoint}, which drew {a.again}, got {checkpoint.hash}")
        check_drawable(checkpoint.denoiser, request := request.guided_by(checkpoint.guide))
    except (ValueError, OSError) as error:
        p.error(str(error))
    job = begin_grid(checkpoint.denoiser, request)
    for state, _ in track(generate(checkpoint.denoiser, job), "denoising", total=request.evaluations):
        x = state.z
    try:
        pictures = pixels(request, checkpoint.denoiser.pictures(x))
        save_sheet(draw_sheet(request, pictures, checkpoint.config.classes), a.out, request)
    except (OSError, ValueError) as error:
        p.error(f"out must be a file that can be written, got {a.out} ({error})")
    print(f"{a.out}: {request.pictures} samples, {request.to_url(len(checkpoint.config.classes))}")


def _request(a: argparse.Namespace, checkpoint: LoadedModel) -> GridRequest:
    names = {name.lower(): str(label) for label, name in enumerate(checkpoint.config.classes)}
    raw: dict[str, Any] = {
        "class": ",".join(names.get(name.lower(), name) for name in a.classes),
        "w": ",".join(a.w),
        "samples": a.samples,
        "sampler": a.sampler,
        "rule": a.rule,
        "seed": a.seed,
        "parameters": assigned(a.set),
    }
    if a.steps is not None:
        raw["steps"] = a.steps
    return GridRequest.parse(raw, checkpoint.hash, len(checkpoint.config.classes), checkpoint.guide)
