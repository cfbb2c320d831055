"""The real page over the shipped checkpoint, in a browser watched for errors and for requests to other hosts."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cfg_core.checkpoints.catalog import describe_models, shipped_models
from cfg_core.checkpoints.classifiers import load_classifier
from cfg_core.checkpoints.format import load_checkpoint
from cfg_core.checkpoints.guides import with_guide
from cfg_core.evaluation.meters import measure_by
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry
from tests.conftest import served
from tests.curve_files import everything, write

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHECKPOINT = Path(__file__).parents[2] / "checkpoints" / "fashion-mnist"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
PATIENCE = 60_000
"""Milliseconds after which a test gives up on a state that should come at once."""

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    checkpoint = with_guide(load_checkpoint(CHECKPOINT), f"{CHECKPOINT}-guide")
    classifier = load_classifier(f"{CHECKPOINT}-classifier", checkpoint=checkpoint)
    engine = Engine(Model(checkpoint, measure=measure_by(classifier)))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def address(engine: Engine) -> Iterator[str]:
    registry = ModelRegistry(engine, describe_models(shipped_models(CHECKPOINT.parent, CHECKPOINT.name)))
    with served(engine, models=registry) as (address, _):
        yield address


@pytest.fixture(scope="session")
def files(engine: Engine) -> dict[str, Any]:
    """The records of all groups of curves, by the names of their files."""
    return everything(engine.checkpoint.hash)


@pytest.fixture(scope="session")
def address_with_curves(
    engine: Engine, files: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The page over all the curves."""
    with served(engine, folder=write(tmp_path_factory.mktemp("curves"), files)) as (address, _):
        yield address


def launch(p: Any) -> Any:
    """The machine's own Chromium, or Playwright's; None where there is neither."""
    own = Path(p.chromium.executable_path)
    found = next(filter(None, map(shutil.which, BROWSERS)), None) or (own.exists() and str(own))
    return p.chromium.launch(executable_path=found, args=FLAGS) if found else None


@pytest.fixture(scope="module")  # not of the session: while Playwright's loop runs, other tests cannot run theirs
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = launch(p)
        if browser is None:
            pytest.skip(f"no browser here: none of {', '.join(BROWSERS)}, nor Playwright's own")
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Open]:
    """(query, **options of the browser context) → the page. At the end: no errors, no request to another host.

    flaky: the page's requests are going to fail, so errors on the console do not count.
    """
    contexts, errors, requests = [], [], []

    def open_page(query: str = "", flaky: bool = False, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 960}, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        if not flaky:
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address + query)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
    assert {urlsplit(url).netloc for url in requests if not url.startswith(("data:", "blob:"))} == {
        urlsplit(address).netloc
    }
