"""The endpoints as MCP tools, called by MCP's own client. Skipped where the extra is not installed."""

import asyncio
import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from cfg_core.serving.engine import Engine
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.page import build, serve

pytest.importorskip("mcp", reason="needs the package mcp: pip install -r requirements-mcp.txt")

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    page = build(ModelRegistry(engine))
    yield serve(page, quiet=True, server_name="127.0.0.1", mcp_server=True) + "gradio_api/mcp/"
    page.close(verbose=False)


def result_of(address: str, tool: str, progress: Any = None, **arguments: Any) -> Any:
    """A tool's result, or the list of the tools."""

    async def call() -> Any:
        async with streamable_http_client(address) as (reading, writing, _), ClientSession(reading, writing) as session:
            await session.initialize()
            if not tool:
                return (await session.list_tools()).tools
            return await session.call_tool(tool, arguments, progress_callback=progress)

    return asyncio.run(call())


def test_every_endpoint_is_a_tool_that_describes_its_arguments(address: str) -> None:
    tools = {tool.name: tool for tool in result_of(address, "")}
    assert tools.keys() == {"grid", "models", "stats"}
    schema = tools["grid"].inputSchema
    assert "required" not in schema
    assert all(each["description"] for each in schema["properties"].values())


def test_a_grid_comes_as_an_image_and_the_rest_as_json(address: str) -> None:
    result = result_of(address, "grid", label="3", samples=4, steps=3, format="png")
    assert not result.isError
    picture, told = result.content
    Image.open(BytesIO(base64.b64decode(picture.data))).verify()
    assert json.loads(told.text)["request"]["class"] == "3"
    on_the_way = result_of(address, "grid", label="3", samples=4, steps=3, format="png", intermediate=True).content
    assert [each.type for each in on_the_way] == ["image"] * 4 + ["text"]


def test_numbers_come_as_json(address: str) -> None:
    [told] = result_of(address, "grid", label="3", samples=4, steps=3).content
    assert json.loads(told.text)["shape"] == [1, 1, 4, 8, 8, 1]
    [told] = result_of(address, "models").content
    assert json.loads(told.text)["limits"]["samples"] == [1, 64]


def test_progress_is_told_while_a_grid_is_drawn(address: str) -> None:
    told: list[str] = []

    async def progress(_done: float, _total: float | None, message: str | None) -> None:
        told.append(message or "")

    result_of(address, "grid", progress, sampler="ancestral", steps=512)
    assert any("denoising" in message and "of 512" in message for message in told)


def test_a_grid_that_cannot_be_drawn_is_an_error_of_one_sentence(address: str) -> None:
    result = result_of(address, "grid", label="Bag")
    assert result.isError
    assert result.content[0].text == "class must be a whole number from 0 to 9, got 'Bag'"
