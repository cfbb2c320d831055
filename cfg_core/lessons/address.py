"""The addresses that a step may set the page to: the fields of its tabs, within their ranges."""

from typing import Any
from urllib.parse import parse_qsl

from cfg_core.checks import choice, number, parse_json, shown
from cfg_core.grids.request import FIELDS, PARAMETERS, W_RANGE, GridRequest
from cfg_core.toy2d.scene import Scene

LONGEST_ADDRESS = 500

TABS = ("explore", "step", "toy2d", "tradeoff")
TOY2D, COMPARED = "toy2d_", "vs_"
OF_STEP = ("sample", "step", "step_w", "step_view", "step_class", "step_way")
OF_TRADEOFF = ("tradeoff_group", "tradeoff_beside")
ANY_MODEL = "0" * 12
MOST_CLASSES = 10_000


def check_address(query: str) -> str:
    """The query of an address, ``?`` before it, without that. Raises ValueError for a field that no tab has, and for
    one out of range; which classes there are, the page's model decides."""
    if len(query) > LONGEST_ADDRESS:
        raise ValueError(f"an address must have at most {LONGEST_ADDRESS} characters, got {len(query)}")
    try:
        pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, strict_parsing=len(query) > 1)
    except ValueError as error:
        raise ValueError(f"an address must be ?field=value&field=value, got {shown(query)}") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError(f"an address must have each field once, got {shown(query)}")
    grid, compared, scene = {}, {}, {}
    for name, value in fields.items():
        if name == "tab":
            choice("tab", value, TABS)
        elif name.startswith(TOY2D):
            scene[name.removeprefix(TOY2D)] = _plain(value)
        elif name.startswith(COMPARED):
            compared[name.removeprefix(COMPARED)] = value
        elif name in (*FIELDS, *PARAMETERS):
            grid[name] = value
        elif name == "step_view":
            choice(name, value, ("x", "eps"))
        elif name in ("step_w", "step_way"):
            number(name, _plain(value), *W_RANGE)
        elif name in OF_STEP:
            number(name, _plain(value), 0 if name == "step_class" else 1, MOST_CLASSES, whole=True)
        elif name not in OF_TRADEOFF:
            raise ValueError(f"{shown(name)} is no field of an address of the page")
    _check_grid(grid)
    if compared:
        _check_grid({**{name: value for name, value in grid.items() if name not in PARAMETERS}, **compared})
    if isinstance(means := scene.get("means"), str):
        flat = _plain(f"[{means}]")
        scene["means"] = [flat[n : n + 2] for n in range(0, len(flat), 2)] if isinstance(flat, list) else means
    Scene.parse(scene)
    return query.removeprefix("?")


def _check_grid(fields: dict[str, str]) -> None:
    """Raises ValueError for what no model's grid on the page can be."""
    given = {name: value for name, value in fields.items() if name != "model"}
    classes = 10 if given.get("class") == "all" else MOST_CLASSES
    request = GridRequest.parse(given, ANY_MODEL, classes, ANY_MODEL)
    for field, count in (("class", len(request.classes) % classes), ("w", len(request.w))):
        number(f"the numbers of {field}", count, 0, 1, whole=True)


def _plain(value: str) -> Any:
    """A number or a list where it is one, else the text."""
    try:
        return parse_json("a field", value)
    except ValueError:
        return value
