"""What a lesson is: steps, each with an address of the page, a few words, a question and what is revealed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Span:
    """A piece of text. style: "", "em" or "strong". link: an address that begins with http:// or https://, or "".
    figure: the name of a measured figure that stands in place of the text, or ""."""

    text: str
    style: str = ""
    link: str = ""
    figure: str = ""


Text = tuple[Span, ...]


RISES_OR_FALLS = ("rises", "falls", "stays")

MEASURES: Mapping[str, tuple[str, ...]] = {
    "sure": RISES_OR_FALLS,
    "differ": RISES_OR_FALLS,
    "acts": ("early", "middle", "late"),
    "distance": ("follows", "misses"),
}
"""What the page measures → what may be found. From the left grid to the right one: how sure the classifier is, and how
many pictures differ; where on the way from noise to clean the class changes most; whether the samples of the 2-D lab
follow the density they are expected to."""

CHOOSE = "choose"
KINDS = (
    CHOOSE,
    *(f"{CHOOSE} {measure}" for measure in MEASURES),
    "guided",
    "lowest fid",
    "best looking",
    "differ",
    "changes most",
)
"""Kinds of question: choose one of some answers, of which one is marked as right, or marked by what is measured; say
which grid is guided; set w where FID is lowest, or where the pictures look best; guess how many pictures of the right
grid differ; point at the sample that will change most."""

FIGURES = (
    "lowest w",
    "lowest fid",
    "sure",
    "sure before",
    "differ",
    "differ before",
    "pictures",
    "distance",
    "exact distance",
)
"""Measured figures that a text may have in braces. Those ``before`` are of the left grid."""


@dataclass(frozen=True)
class Option:
    """One answer. mark: "x" where it is right, one of the measure's findings where that makes it right, or ""."""

    text: Text
    mark: str


@dataclass(frozen=True)
class Question:
    """kind: one of KINDS. options: of the kinds that choose."""

    kind: str
    text: Text
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Step:
    """address: the query that sets the page; then_address: the one at the reveal, "" to stay. reveal: without a
    question it is empty."""

    title: str
    address: str
    words: Text
    question: Question | None = None
    reveal: Text = ()
    then_address: str = ""


@dataclass(frozen=True)
class Lesson:
    """At least one step."""

    title: str
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        return asdict(self)
