"""A page in German has no English word in it but names."""

import re
from typing import Any

from cfg_core.guidance.rules import RULES
from cfg_core.serving.engine import Engine
from cfg_core.ui.page import TABS

from .conftest import Open
from .explore_page import QUICK
from .room_page import start_class

TEXTS = """() => {
  const found = [];
  const walk = node => {
    if (node.nodeType === 3) found.push(node.data);
    else if (node.nodeType === 1 && !node.matches('script, style, .languages')) {
      const attributes = ['title', 'aria-label', 'placeholder', 'aria-valuetext'];
      found.push(...attributes.map(name => node.getAttribute(name) ?? ''), ...[...node.childNodes].flatMap(walk));
    }
    return [];
  };
  document.querySelectorAll('.lab, .shell').forEach(walk);
  return found;
}"""
NAMES = {
    "Guidance", "Lab", "Sampler", "FID", "Inception", "Score", "Vendi", "Recall", "Name", "PNG", "SVG", "CSV",
    "JSON", "Notebook", "WebP", "GIF", "Python", "Link", "Film", "Code", "CFG", "DDIM", "EDM", "Heun", "DPM",
    "Solver", "SNR", "Ancestral", "Adaptive", "Autoguidance", "Zero", "Langevin", "Feynman", "Kac", "Bayes",
    "ImageNet", "CIFAR", "Fashion", "MNIST", "Spearman", "Classifier", "Free", "Diffusion", "arXiv", "Salimans",
    "fashion", "mnist", "uncond", "host", "share", "log", "http",
}  # fmt: skip
"""What German calls the same, and words of names, formulas and commands."""

WORD = re.compile(r"[A-Za-zÄÖÜäöüß]{3,}")


def words(page: Any) -> set[str]:
    return {word for text in page.evaluate(TEXTS) for word in WORD.findall(text)}


def see_tabs(page: Any) -> None:
    for name in TABS:
        page.locator(f".shell [role=tab][name={name}]").click()
        page.wait_for_function(
            "tab => ['idle', 'open'].includes(document.querySelector('.lab.' + tab)?.dataset.state)", arg=name
        )


def test_no_word_of_any_tab_a_lesson_and_a_class_is_the_same_in_both_languages_but_names(
    open_page: Open, engine: Engine
) -> None:
    names = {word for rule in RULES.values() for word in WORD.findall(rule.paper.authors)}
    names |= {word for each in engine.checkpoint.config.classes for word in WORD.findall(each)} | NAMES
    found = {}
    for language in ("en", "de"):
        teacher = open_page(f"{QUICK}&lesson=guidance&at=3&lang={language}")
        see_tabs(teacher)
        link = start_class(teacher)
        assert teacher.evaluate("document.documentElement.lang") == language
        student = open_page(f"{link[link.index('?') :]}&lang={language}", viewport={"width": 390, "height": 844})
        student.locator(".class-strip .student .where:not(:empty)").wait_for()
        found[language] = words(teacher) | words(student)
    assert len(found["de"]) > 300
    assert (found["en"] & found["de"]) - names - {word.lower() for word in names} == set()
