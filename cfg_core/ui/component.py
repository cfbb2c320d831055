"""A part of the page: markup, script and style of one name in assets/, and the Python functions that it calls."""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).parents[2] / "assets"


def component(name: str, *functions: Callable[..., Any], uses: Sequence[str] = (), **constants: Any) -> gr.HTML:
    """The component of assets/NAME.html and NAME.js; its script finds the functions under ``server``.

    uses: scripts of assets/ that it needs beside common.js. constants: what the script finds by these names. Not a
    subclass of gr.HTML: Gradio writes a stub file beside the source of each subclass.
    """
    given = "".join(f"const {constant} = {json.dumps(value)};\n" for constant, value in constants.items())
    scripts = "".join((ASSETS / f"{script}.js").read_text() for script in ("common", *uses, name))
    return gr.HTML(
        html_template=(ASSETS / f"{name}.html").read_text(),
        js_on_load=given + scripts,
        apply_default_css=False,
        server_functions=list(functions) or None,
        elem_id=name,
    )


def style(name: str) -> str:
    """The style sheet assets/NAME.css."""
    return (ASSETS / f"{name}.css").read_text()


def encoded(content: bytes) -> str:
    """Bytes as they travel in JSON."""
    return base64.b64encode(content).decode()
