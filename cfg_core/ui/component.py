"""A tab of the page: its markup, style sheet and scripts in a folder of assets/, and the Python functions it calls."""

import base64
import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from cfg_core.ui.scripts import ASSETS, SCRIPTS, inline


def component(tab: str, *functions: Callable[..., Any], script: str | None = None, **constants: Any) -> gr.HTML:
    """The component of a tab. Its module's ``mount(element, server, constants, trigger)`` starts it; ``server`` has the
    functions by their names.

    script: the module, by default assets/TAB/main.js. Not a subclass of gr.HTML: Gradio writes a stub file beside the
    source of each subclass.
    """
    module = script or f"{tab}/main.js"
    folder, address = module.partition("/")[0], json.dumps(SCRIPTS.address(module))
    return gr.HTML(
        html_template=(ASSETS / folder / f"{tab}.html").read_text(encoding="utf-8"),
        js_on_load=f"{inline('start')}\nstart({address}, element, server, {json.dumps(constants)}, trigger);",
        apply_default_css=False,
        server_functions=list(functions) or None,
        elem_id=tab,
    )


def style(name: str) -> str:
    """The style sheet assets/NAME.css."""
    return (ASSETS / f"{name}.css").read_text(encoding="utf-8")


def encoded(content: bytes) -> str:
    """Bytes as base64, for JSON."""
    return base64.b64encode(content).decode()
