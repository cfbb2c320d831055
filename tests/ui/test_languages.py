"""The catalogues of the page's words: complete, used, and chosen by the address or the browser."""

import json
import re
import urllib.request
from collections.abc import Iterator
from string import Formatter

import pytest

from cfg_core.evaluation.conclusions import VERDICTS
from cfg_core.evaluation.curves import METHODS
from cfg_core.evaluation.metrics import EXTRACTORS, titles
from cfg_core.evaluation.paper_tables import paper_tables
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.engine import Engine
from cfg_core.ui.languages import CATALOGUES, chosen_language
from cfg_core.ui.page import TABS
from cfg_core.ui.saving import kinds
from cfg_core.ui.scripts import ASSETS
from tests.conftest import served

ENGLISH = CATALOGUES["en"]
BUILT = {
    "cost", "grid", "step.changes_", "said.clear_", "said.alike_", "compared.clear_", "compared.alike_", "ordinal.",
    "tab.", "save.", "tradeoff.chart_", "tradeoff.read_", "tradeoff.closest", "tradeoff.beyond_",
    "tradeoff.alike_", "language.name", "toy2d.follows_",
}  # fmt: skip
"""How keys begin that scripts put together."""


KEY = re.compile(r"[a-z]\w*\.[\w.-]+")
"""Of the page's own words; what the server says stands for itself."""


@pytest.mark.parametrize("language", CATALOGUES)
def test_a_catalogue_has_the_keys_and_the_values_of_the_english_one(language: str) -> None:
    words = CATALOGUES[language]
    assert {key for key in words if KEY.fullmatch(key)} == ENGLISH.keys()

    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert {key for key in words if not fields(words[key]) <= fields(ENGLISH.get(key, key))} == set()
    assert all(text.strip() == text and text for text in words.values())


@pytest.mark.parametrize("language", set(CATALOGUES) - {"en"})
def test_a_catalogue_has_what_rules_samplers_and_curves_are_called(language: str) -> None:
    owners = (*RULES.values(), *SAMPLERS.values())
    called = {each.title for each in owners} | {rule.claim for rule in RULES.values()}
    called |= {parameter.help for each in owners for parameter in each.parameters}
    called |= {
        rule.formula for rule in RULES.values() if re.search(r"\b(?!clip|max|std|log|cos)[a-z]{3,}", rule.formula)
    }
    called |= {title for extractor in EXTRACTORS for title in titles(extractor).values()} - {"FID", "Inception Score"}
    called |= {*METHODS.values(), *VERDICTS.values(), *(table.title for table in paper_tables())} - {"CFG"}
    assert called - CATALOGUES[language].keys() == set()


def test_scripts_and_markup_use_keys_that_are_there_and_every_key_is_used() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in ASSETS.rglob("*.js"))
    markup = "".join(path.read_text(encoding="utf-8") for path in ASSETS.rglob("*.html"))
    used = set(re.findall(r"\[([a-z]\w*\.[\w.]+)\]", markup)) | set(re.findall(r"'([a-z]\w*\.[a-z]\w*)'", scripts))
    said = set(re.findall(r"say\('([\w.]+)'", scripts)) | set(re.findall(r"\[([a-z]\w*\.[\w.]+)\]", markup))
    assert said - ENGLISH.keys() == set()
    unused = {key for key in ENGLISH.keys() - used if not key.startswith(tuple(BUILT))}
    assert unused == set()
    assert {f"tab.{tab}" for tab in TABS} | {f"save.{kind}" for kind in kinds()} <= ENGLISH.keys()


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        ("", "", "en"),
        ("de", "en", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "fr, en;q=0.5, de;q=0.7", "de"),
        ("", "fr", "en"),
        ("xx", "de", "de"),
        ("../de", "de;q=0, en", "en"),
        ("", "de;q=x", "en"),
    ],
)
def test_the_language_is_that_of_the_address_then_the_browsers_then_english(
    wanted: str, accepted: str, language: str
) -> None:
    assert chosen_language(wanted, accepted) == language


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    with served(engine) as (address, _):
        yield address


@pytest.mark.parametrize("language", CATALOGUES)
def test_the_document_carries_the_words_of_its_language(address: str, language: str) -> None:
    request = urllib.request.Request(address, headers={"Accept-Language": language})
    with urllib.request.urlopen(request) as reply:
        document = reply.read().decode()
        assert "Accept-Language" in reply.headers["vary"]
    [words] = re.findall(rf'<script type="application/json" id="words" lang="{language}">(.*?)</script>', document)
    assert json.loads(words) == CATALOGUES[language]
