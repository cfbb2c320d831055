"""All guidance rules, one file a family, which declares them in a mapping ``RULES``: name in requests → rule.

The files of this folder are found by themselves. Read classifier_free.py (the paper's eq. 6) first, then any.
"""

from importlib import import_module
from pkgutil import iter_modules

from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.guidance.rule import Rule


def _declared() -> dict[str, Rule]:
    """Classifier-free guidance first, the others in the order of their papers."""
    families = [import_module(f"{__name__}.{module.name}").RULES for module in iter_modules(__path__)]
    found: list[tuple[str, Rule]] = [declared for family in families for declared in family.items()]
    return dict(sorted(found, key=lambda each: (each[0] != "cfg", each[1].paper.arxiv)))


RULES: dict[str, Rule] = _declared()
"""Name in requests → rule."""


def rules(denoiser: Denoiser) -> dict[str, Rule]:
    """The rules that a denoiser supports: it has their sources, and they apply to its samples."""
    return {name: rule for name, rule in RULES.items() if rule.sources <= denoiser.sources and rule.applies(denoiser)}
