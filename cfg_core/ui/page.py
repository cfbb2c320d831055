"""The page as a whole: its tabs, its theme, and how Gradio serves it."""

from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.blocks import BlockFunction
from starlette.middleware import Middleware

from cfg_core.evaluation.curves import CURVES_FOLDER, read_curves
from cfg_core.lessons.library import Library, described, shipped_lessons
from cfg_core.serving.registry import ModelRegistry
from cfg_core.ui.api import Api
from cfg_core.ui.call_queue import CallQueue
from cfg_core.ui.component import component, style
from cfg_core.ui.connections import bound_connections
from cfg_core.ui.document import WholeDocument
from cfg_core.ui.explore import Explore
from cfg_core.ui.languages import CATALOGUES, OWN_NAME
from cfg_core.ui.mcp_content import show_pictures
from cfg_core.ui.middleware import RequestGuard
from cfg_core.ui.refusal import without_input
from cfg_core.ui.room import RoomRoutes
from cfg_core.ui.scripts import SCRIPTS
from cfg_core.ui.step import Step
from cfg_core.ui.toy2d import Toy2d
from cfg_core.ui.tradeoff import TradeOff

CALLS = 8
"""Calls of the grid endpoint that are served at once; the engine advances them together."""

TABS = ("explore", "step", "toy2d", "tradeoff")
"""The tabs by the names of their components, the first of them the one that opens."""

SHEETS = ("shared/lab", "shared/chart", "room/room", "lesson/lesson", "lesson/presenter")
"""Style sheets beside those of the tabs."""

FONTS = ("ui-sans-serif", "system-ui", "Segoe UI", "sans-serif")


class Page(gr.Blocks):
    """Gradio's page, whose endpoints may be called with fewer values than they have parameters.

    rooms: the classes that follow a page.
    """

    rooms: RoomRoutes

    def validate_inputs(self, block_fn: BlockFunction, inputs: list[Any]) -> None:
        """Give parameters without a value their defaults. Raises gr.Error, in one sentence, for too many values."""
        most = len(block_fn.inputs)
        if len(inputs) > most:
            sentence = f"{block_fn.api_name} must be called with at most {most} values, got {len(inputs)}"
            raise gr.Error(sentence, print_exception=False)
        inputs += [getattr(block, "value", None) for block in block_fn.inputs[len(inputs) :]]


def build(models: ModelRegistry, folder: Path = CURVES_FOLDER, lessons: Library | None = None) -> Page:
    """The page over the available models and the curve files of a folder. lessons: the first is that of the button; by
    default those that ship."""
    measured = read_curves(folder, [models.engine.checkpoint.hash, *(each.hash for each in models.available)])
    languages = {language: words[OWN_NAME] for language, words in CATALOGUES.items()}
    with Page(title="Guidance Lab", analytics_enabled=False, fill_width=True) as page:
        component("shell", script="shared/shell.js", TABS=TABS, LANGUAGES=languages)
        component("room")
        component("lesson", LESSONS=described(lessons or shipped_lessons()))
        Explore(models, measured.of_models).render()
        Step(models).render()
        Toy2d().render()
        TradeOff(models, measured).render()
        api = Api(models)
        gr.api(api.grid, api_name="grid", concurrency_limit=CALLS)
        gr.api(api.models, api_name="models")
        gr.api(api.stats, api_name="stats")
    page._queue = CallQueue(page)
    page.rooms = RoomRoutes(models)
    return page


def launch_options(page: Page) -> dict[str, Any]:
    """Arguments of ``Blocks.launch`` that belong to the page, not to the machine it runs on."""
    hidden = "".join(f'html:not([data-tab="{name}"]) .lab.{name} {{ display: none; }}' for name in TABS)
    sheets = "".join(map(style, (*SHEETS, *(f"{name}/{name}" for name in TABS)))) + hidden
    return {
        "theme": gr.themes.Base(font=FONTS, font_mono=("ui-monospace", "monospace")),
        "head": f'<meta name="color-scheme" content="light dark"><style>{sheets}</style>{SCRIPTS.preloads()}',
        "ssr_mode": False,
        "run_history": False,
        "footer_links": [],
        "state_session_capacity": 500,
        "app_kwargs": {
            "middleware": [Middleware(WholeDocument), Middleware(RequestGuard)],
            "routes": [SCRIPTS.route(), page.rooms.route()],
            "exception_handlers": {RequestValidationError: without_input},
        },
    }


def serve(page: Page, **options: Any) -> str:
    """Serve the page from a thread; returns its address. options: of ``Blocks.launch``. Raises OSError."""
    _, address, _ = page.launch(prevent_thread_lock=True, **launch_options(page), **options)
    bound_connections(page.server)
    if page.mcp_error:
        raise OSError(page.mcp_error)
    show_pictures(page)
    return address
