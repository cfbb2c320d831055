"""The command line, the Python code and the notebook that draw a request again."""

import json
import shlex
from typing import Any

from cfg_core.grids.request import BESIDE, GridRequest


def command_line(request: GridRequest, checkpoint: str) -> str:
    """The command that draws the labelled sheet of a request. checkpoint: folder or Hub name of its model."""
    words = ["python", "-m", "cfg_core", "sample", "--checkpoint", checkpoint, "--class", *map(str, request.classes)]
    words += ["--w", *(f"{w:g}" for w in request.w), "--samples", str(request.samples), "--seed", str(request.seed)]
    words += ["--sampler", request.sampler, "--steps", str(request.steps), "--rule", request.rule]
    for name, value in request.changed.items():
        words += ["--set", f"{name}={value!r}"]
    return shlex.join([*words, "--out", "sheet.png"])


def python_code(request: GridRequest, checkpoint: str) -> str:
    """The program that does the same."""
    return "\n\n".join(_cells(request, checkpoint)) + "\n"


def notebook(request: GridRequest, checkpoint: str, title: str) -> str:
    """The same as a Jupyter notebook, JSON of nbformat 4.5, to be run in a clone of the project."""
    text = f"# {title}\n\nRun this in a clone of Guidance Lab after `make app`, or with its requirements installed."
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": text}]
    for n, source in enumerate([*_cells(request, checkpoint), "sheet"]):
        code = {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": source}
        cells.append({**code, "outputs": [], "execution_count": None})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False)


def _cells(request: GridRequest, checkpoint: str) -> list[str]:
    fields = {
        "checkpoint": "model.hash", "classes": repr(request.classes), "w": repr(request.w),
        "samples": str(request.samples), "seed": str(request.seed), "sampler": repr(request.sampler),
        "steps": str(request.steps), "rule": repr(request.rule),
    }  # fmt: skip
    if request.changed:
        fields["parameters"] = f"tuple({request.changed!r}.items())"
    fields |= {field: f"model.{field}" for field in BESIDE if getattr(request, field)}
    arguments = "".join(f"    {name}={value},\n" for name, value in fields.items())
    load = f"model = load_checkpoint({checkpoint!r})"
    imports = [
        "from cfg_core.checkpoints.format import load_checkpoint",
        "from cfg_core.grids.drawing import draw_grid",
        "from cfg_core.grids.request import GridRequest",
        "from cfg_core.grids.sheet import draw_sheet",
    ]
    if request.needs("guide"):
        imports.insert(1, "from cfg_core.checkpoints.guides import with_guide")
        load += f"\nmodel = with_guide(model, {checkpoint + '-guide'!r})"
    if request.needs("weaker"):
        imports.insert(1, "from cfg_core.checkpoints.weaker_siblings import with_weaker")
        load += f"\nmodel = with_weaker(model, {checkpoint + '-weak'!r})"
    return [
        "\n".join(imports),
        f"{load}\nrequest = GridRequest(\n{arguments})",
        "pictures = draw_grid(model.denoiser, request)  # (w, class, sample, row, column, channel), uint8\n"
        "sheet = draw_sheet(request, pictures, model.config.classes)\nsheet.save('sheet.png')",
    ]
