"""The lines of a lesson's file to a Lesson; docs/teaching.md has the format. Strict: what is wrong is one sentence with
its line.

``# Title`` begins the file, ``## Title`` each step. In a step stand, in this order: ``?field=value&…``, the address
that sets the page; a paragraph of at most WORDS words; ``kind: question``, and ``- answer`` lines where one is to be
chosen, ``- [x]`` before the right one; ``> text`` of what is revealed, ``> ?field=value&…`` for the page it is revealed
on.
"""

import re
from dataclasses import dataclass, field

from cfg_core.checks import line as one_line
from cfg_core.checks import shown, text
from cfg_core.lessons.address import check_address
from cfg_core.lessons.inline import count_words, parse_text
from cfg_core.lessons.lesson import CHOOSE, KINDS, MEASURES, Lesson, Option, Question, Step, Text

WORDS, WORDS_OF_QUESTION, WORDS_OF_OPTION, WORDS_OF_REVEAL = 40, 30, 15, 60
"""At most, of a step's paragraph, its question, one answer and what is revealed."""

STEPS, OPTIONS, LONGEST_TITLE, LONGEST_LINE, LONGEST_FILE = 60, 6, 80, 2000, 100_000
"""At most; characters of a title, of a line and of a file."""

KIND = re.compile(r"([a-z][a-z ]*):\s+(.*)")
MARK = re.compile(r"\[([^][]*)\]\s+(.*)")


@dataclass
class Draft:
    """A step that is being read. started: number of the line of its title."""

    title: str
    started: int
    address: str | None = None
    words: list[str] = field(default_factory=list)
    kind: str = ""
    question: list[str] = field(default_factory=list)
    asked: int = 0
    options: list[Option] = field(default_factory=list)
    reveal: list[str] = field(default_factory=list)
    then_address: str = ""


class Wrong(ValueError):
    """What is wrong in a line."""


def parse_lesson(source: str) -> Lesson:
    """The lesson that a file has. Raises ValueError, in one sentence that begins with ``line N:``."""
    text("a lesson", source.replace("\r\n", "\n"), LONGEST_FILE)
    title = ""
    drafts: list[Draft] = []
    for number, raw in enumerate(source.replace("\r\n", "\n").split("\n"), 1):
        line = raw.strip()
        try:
            if len(line) > LONGEST_LINE:
                raise Wrong(f"a line must have at most {LONGEST_LINE:,} characters, got {len(line):,}")
            if line.startswith("## "):
                if not title:
                    raise Wrong("the lesson must begin with # and its title")
                drafts.append(Draft(_title(line[3:]), number))
                if len(drafts) > STEPS:
                    raise Wrong(f"a lesson must have at most {STEPS} steps, got another")
            elif line.startswith("#"):
                if title or not line.startswith("# "):
                    raise Wrong("a title must begin with # in the first line and with ## before each step")
                title = _title(line[2:])
            elif line and not drafts:
                raise Wrong(f"before the first ## there may be only # and the lesson's title, got {shown(line)}")
            elif line:
                _read(drafts[-1], line, number)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    if not drafts:
        raise ValueError("line 1: a lesson must have a title, # Title, and at least one step, ## Title")
    return Lesson(title, tuple(map(_finished, drafts)))


def _title(raw: str) -> str:
    return one_line("a title", raw.strip(), LONGEST_TITLE)


def _read(draft: Draft, line: str, number: int) -> None:
    """One line of a step. Raises ValueError."""
    found = KIND.fullmatch(line)
    if line.startswith(">"):
        _read_reveal(draft, line[1:].strip())
    elif draft.reveal or draft.then_address:
        raise Wrong(f"after what is revealed comes the next ## step, got {shown(line)}")
    elif line.startswith("?"):
        if draft.address is not None or draft.words or draft.kind:
            raise Wrong("a step must have one address, before its words; that of the reveal begins with > ?")
        draft.address = check_address(line)
    elif line.startswith("- "):
        _read_option(draft, line[2:].strip())
    elif found:
        if found[1] not in KINDS:
            raise Wrong(f"a question must be one of {', '.join(KINDS)}, got {shown(found[1])}")
        if draft.kind:
            raise Wrong("a step must have at most one question")
        draft.kind, draft.asked = found[1], number
        draft.question.append(found[2])
    elif draft.options:
        raise Wrong(f"after the answers comes what is revealed, > text, got {shown(line)}")
    else:
        (draft.question if draft.kind else draft.words).append(line)
        _bounded("the words of a step", draft.words, WORDS)
        _bounded("a question", draft.question, WORDS_OF_QUESTION)


def _read_reveal(draft: Draft, line: str) -> None:
    if not draft.kind:
        raise Wrong("what is revealed needs a question before it")
    if line.startswith("?"):
        if draft.then_address:
            raise Wrong("what is revealed must have at most one address")
        draft.then_address = check_address(line)
    elif line:
        draft.reveal.append(line)
        _bounded("what is revealed", draft.reveal, WORDS_OF_REVEAL)


def _read_option(draft: Draft, line: str) -> None:
    kind, _, measure = draft.kind.partition(" ")
    if kind != CHOOSE:
        raise Wrong(f"answers, - text, are of a question of the kind {CHOOSE}, got {shown(line)}")
    if len(draft.options) == OPTIONS:
        raise Wrong(f"a question must have at most {OPTIONS} answers, got another")
    found, marks = MARK.fullmatch(line), MEASURES.get(measure, ("x",))
    mark, words = (found[1], found[2]) if found else ("", line)
    if (found or measure) and mark not in marks:
        raise Wrong(f"an answer must begin with {' or '.join(f'[{each}]' for each in marks)}, got {shown(line)}")
    if mark and any(option.mark == mark for option in draft.options):
        raise Wrong(f"one answer must be [{mark}], got another")
    draft.options.append(Option(_bounded("an answer", [words], WORDS_OF_OPTION), mark))


def _bounded(name: str, lines: list[str], most: int) -> Text:
    """The text of lines. Raises ValueError for one of too many words."""
    found = parse_text(" ".join(lines))
    if (count := count_words(found)) > most:
        raise Wrong(f"{name} must have at most {most} words, got {count}")
    return found


def _finished(draft: Draft) -> Step:
    """Raises ValueError where something is missing."""
    question = None
    if not draft.words:
        raise ValueError(f"line {draft.started}: the step {shown(draft.title)} must have a few words")
    if draft.kind:
        if draft.kind.startswith(CHOOSE) and len(draft.options) < 2:
            raise ValueError(
                f"line {draft.asked}: a question must have at least 2 answers, - text, got {len(draft.options)}"
            )
        if draft.kind == CHOOSE and not any(option.mark for option in draft.options):
            raise ValueError(f"line {draft.asked}: one answer must be right, - [x] text")
        if not draft.reveal:
            raise ValueError(f"line {draft.asked}: a question must have something to reveal, > text")
        question = Question(draft.kind, parse_text(" ".join(draft.question)), tuple(draft.options))
    words, reveal = parse_text(" ".join(draft.words)), parse_text(" ".join(draft.reveal))
    return Step(draft.title, draft.address or "", words, question, reveal, draft.then_address)
