"""What MCP clients are sent of a reply: pictures as images, which a language model can look at, the rest as JSON."""

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

PICTURE = "png"


def show_pictures(page: gr.Blocks) -> None:
    """Have the MCP server of a running page, if it has one, send replies so; Gradio's own sends Python's repr of them.

    Gradio makes the server and takes no other, but shows it once it runs.
    """
    if page.mcp_server_obj:
        page.mcp_server_obj.postprocess_output_data = _contents  # type: ignore[method-assign]


def _contents(data: list[Any], root_url: str) -> list[Any]:
    """The contents of a tool's result. data: what the endpoint returned, in a list."""
    from mcp.types import ImageContent, TextContent

    pictures = [ImageContent(type="image", data=each, mimeType="image/png") for each in _pictures(data)]
    return [*pictures, *(TextContent(type="text", text=json.dumps(_without_pictures(each))) for each in data)]


def _pictures(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if PICTURE in value:
            yield value[PICTURE]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _pictures(each)


def _without_pictures(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_pictures(each) for name, each in value.items() if name != PICTURE}
    return [_without_pictures(each) for each in value] if isinstance(value, list) else value
