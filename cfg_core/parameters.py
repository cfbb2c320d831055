"""Parameters: the numbers, beside w and steps, that a guidance rule or a sampler may be given.

Each is declared once, where it is used; requests, URLs, the command line, the API and the page follow from it. A name
means the same wherever it is declared, though its default may differ from one sampler to the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cfg_core.checks import number, shown

Values = Mapping[str, float]
"""Name of a parameter → its value."""


@dataclass(frozen=True)
class Parameter:
    """name: as requests, URLs and ``--set name=value`` have it. symbol: as formulas have it. low, high: its range, both
    ends included. step: that of a slider. help: one line."""

    name: str
    symbol: str
    low: float
    high: float
    default: float
    step: float
    help: str


def resolve(declared: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, float]:
    """The value of every declared parameter, sorted by name; a parameter that is not given takes its default.

    Raises ValueError, in one sentence, for a name that is not declared and for a value out of its range.
    """
    known = {parameter.name: parameter for parameter in declared}
    if unknown := given.keys() - known.keys():
        raise ValueError(
            f"parameters must be among {', '.join(sorted(known)) or 'none'} for this rule and sampler, "
            f"got {shown(min(unknown, key=str))}"
        )
    return {
        name: float(number(name, given.get(name, known[name].default), known[name].low, known[name].high)) + 0.0
        for name in sorted(known)  # + 0.0: −0 and 0 are one value
    }


def assigned(texts: Iterable[str]) -> dict[str, float]:
    """Options ``--set name=value``: ("rho=5",) to {"rho": 5.0}. Raises ValueError for another form."""
    values = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            raise ValueError(f"set must be name=value with a number, got {shown(text)}") from None
    return values
