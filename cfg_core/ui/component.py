"""A part of the page: markup, script and style of one name in assets/, and the Python functions that it calls."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).parents[2] / "assets"


def component(name: str, *functions: Callable[..., Any], **constants: Any) -> gr.HTML:
    """The component of assets/NAME.html and NAME.js; its script finds the functions under ``server``.

    constants: what the script finds by these names. Not a subclass of gr.HTML: Gradio writes a stub file beside the
    source of each subclass.
    """
    given = "".join(f"const {constant} = {json.dumps(value)};\n" for constant, value in constants.items())
    return gr.HTML(
        html_template=(ASSETS / f"{name}.html").read_text(),
        js_on_load=given + (ASSETS / "common.js").read_text() + (ASSETS / f"{name}.js").read_text(),
        apply_default_css=False,
        server_functions=list(functions) or None,
        elem_id=name,
    )


def style(name: str) -> str:
    """The style sheet assets/NAME.css."""
    return (ASSETS / f"{name}.css").read_text()
