"""A page in German has no English word in it but names."""

import re
from typing import Any

import pytest

from cfg_core.guidance.rules import RULES
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.serving.engine import Engine

from .conftest import Open
from .explore_page import QUICK

TEXTS = """selector => {
  const found = [];
  const walk = node => {
    if (node.nodeType === 3) found.push(node.data);
    else if (node.nodeType === 1) {
      const attributes = ['title', 'aria-label', 'placeholder', 'aria-valuetext'];
      found.push(...attributes.map(name => node.getAttribute(name) ?? ''));
      if (!node.matches('.about, .languages')) node.childNodes.forEach(walk);
    }
  };
  document.querySelectorAll(selector).forEach(walk);
  return found;
}"""
NAMES = {
    "Guidance", "Lab", "lab", "Sampler", "sampler", "FID", "Inception", "Score", "Name", "PNG", "SVG", "Notebook",
    "notebook", "WebP", "GIF", "Python", "fashion", "mnist", "link", "Link", "uncond", "guidance", "Film", "film",
    "Vendi", "log",
}  # fmt: skip
WORD = re.compile(r"[A-Za-zÄÖÜäöüß]{3,}")


def words(page: Any, selector: str) -> set[str]:
    return {word for text in page.evaluate(TEXTS, selector) for word in WORD.findall(text)}


@pytest.mark.parametrize(
    ("tab", "query"), [("explore", QUICK + "&lesson=guidance&at=3"), ("step", "?tab=step&samples=4&steps=3")]
)
def test_no_word_is_the_same_in_both_languages_but_names(open_page: Open, engine: Engine, tab: str, query: str) -> None:
    classes = engine.checkpoint.config.classes
    titles = [each.title for each in (*RULES.values(), *SAMPLERS.values())]
    helps = [parameter.help for each in (*RULES.values(), *SAMPLERS.values()) for parameter in each.parameters]
    names = NAMES | {word for text in (*classes, *titles, *helps) for word in WORD.findall(text)}
    names |= {word.lower() for word in names}
    found = {}
    for language in ("en", "de"):
        page = open_page(f"{query}&lang={language}")
        page.wait_for_function(
            "tab => ['idle', 'open'].includes(document.querySelector('.lab.' + tab)?.dataset.state)", arg=tab
        )
        assert page.evaluate("document.documentElement.lang") == language
        found[language] = words(page, f".lab.{tab}, .lab.lesson, .shell [role=tab], .open-lesson")
    assert len(found["de"]) > 20
    assert (found["en"] & found["de"]) - names == set()
