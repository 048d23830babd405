"""YAML 1.2 text to plain data with positions, in the part of the language a strategy needs.

Only ruamel's event stream is used: nothing is constructed, nothing refers to anything else, numbers keep their exact digits, and
reading stops at the first event that goes too deep. What a value means is not decided here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from sptrader_desktop.adapters.marked_data import MarkedData, Position
from sptrader_desktop.core.errors import Problem
from sptrader_desktop.core.strategy_comparisons import NotExactError, exact_number
from sptrader_desktop.core.strategy_fields import Path, Plain, shown

DEEPEST = 16
LONGEST_KEY = 64
NOTHING = {"", "~", "null", "Null", "NULL"}
TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NOT_FINITE = re.compile(r"\.nan|\.NaN|\.NAN|[-+]?\.(?:inf|Inf|INF)")
CORE_TAGS = "tag:yaml.org,2002:"
BASED = re.compile(r"0o[0-7]{1,12}|0x[0-9a-fA-F]{1,12}")
# What the parser says, and what has most likely happened.
ADVICE = (
    ("expected chomping or indentation", 'a comparison stands in quotes, as in ">= 0.1"'),
    ("expected a comment or a line break", 'a comparison stands in quotes, as in "> 0.1"'),
    ("cannot start any token", "put the text in quotes, and indent with spaces, not tabs"),
    ("mapping values are not allowed", "put a text that holds a colon in quotes, or check the indentation"),
    ("could not find expected ':'", "every line needs 'key: value'"),
    ("expected <block end>", "keys of one mapping start in the same column"),
    ("end of stream", "close the quote"),
    ("expected ',' or", "close the bracket"),
)


class _UnreadableError(Exception):
    """Nothing after this can be made sense of."""

    def __init__(self, rule: str, at: Position) -> None:
        super().__init__(rule)
        self.problem = Problem((), None, rule, line=at[0], column=at[1])


def read_tree(text: str, what: str = "strategy", first: str = "name") -> tuple[MarkedData, tuple[Problem, ...], bool]:
    """The data, what the language itself has against it, and whether the data is whole. `first` is the key that such a file starts with."""
    reading = _Reading(_events(text), what, first)
    try:
        reading.document()
    except _UnreadableError as error:
        return reading.marked, (*reading.problems, error.problem), False
    return reading.marked, tuple(reading.problems), True


def _events(text: str) -> Iterator[Event]:
    at = (1, 1)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            at = (event.end_mark.line + 1, event.end_mark.column + 1)
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else at
        raise _UnreadableError(f"is not YAML: {_advised(str(error.problem))}", at) from error
    except ReaderError as error:
        before = text[: error.position]
        at = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise _UnreadableError(f"holds the character U+{ord(text[error.position]):04X}, which no text needs: remove it", at) from error
    except (YAMLError, ValueError, OverflowError) as error:
        # The parser turns escapes such as \UFFFFFFFF into characters without asking whether there are any.
        raise _UnreadableError("is not YAML: an escape or a version number after this place is out of range", at) from error


def _advised(said: str) -> str:
    said = " ".join(said.split())
    return next((f"{said}; {advice}" for part, advice in ADVICE if part in said), said)


def _start(event: Event) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


@dataclass(slots=True)
class _Reading:
    events: Iterator[Event]
    what: str
    first: str
    marked: MarkedData = field(default_factory=MarkedData)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: Path, at: Position, rule: str, value: str | None = None) -> None:
        self.problems.append(Problem(path, value, rule, line=at[0], column=at[1]))

    def document(self) -> None:
        next(self.events)
        event = next(self.events)
        if isinstance(event, DocumentStartEvent):
            if event.version or event.tags:
                self.refuse((), (1, 1), "starts with a % directive: remove it")
            self.marked.data = self.value(next(self.events), (), 1)
            next(self.events)
            event = next(self.events)
        if self.marked.data is None and not self.problems:
            raise _UnreadableError(f"is empty: a {self.what} starts with '{self.first}: …'", (1, 1))
        if not isinstance(event, StreamEndEvent):
            raise _UnreadableError(f"holds a second document: keep one {self.what} in one file", _start(event))

    def value(self, event: Event, path: Path, depth: int) -> Plain:
        at = _start(event)
        self.marked.keys.setdefault(path, at)
        self.marked.values.setdefault(path, at)
        self.check_node(event, path, at)
        if depth > DEEPEST:
            raise _UnreadableError(f"goes deeper than {DEEPEST} levels: nothing in a {self.what} does", at)
        match event:
            case ScalarEvent():
                return self.scalar(event, path, at)
            case SequenceStartEvent():
                return self.sequence(path, depth)
            case MappingStartEvent():
                return self.mapping(path, depth)
        return None

    def check_node(self, event: Event, path: Path, at: Position) -> None:
        if isinstance(event, AliasEvent):
            self.refuse(path, at, "aliases are not allowed: write the value itself", shown(f"*{event.anchor}"))
        elif isinstance(event, NodeEvent) and event.anchor is not None:
            self.refuse(path, at, "anchors are not allowed: remove it", shown(f"&{event.anchor}"))
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.refuse(
                path, at, "tags are not allowed: remove it, or put a comparison in quotes", shown(str(tag).replace(CORE_TAGS, "!!"))
            )

    def sequence(self, path: Path, depth: int) -> Plain:
        found: list[Plain] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self.value(event, (*path, len(found)), depth + 1))
        return found

    def mapping(self, path: Path, depth: int) -> Plain:
        found: dict[str, Plain] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event, path)
            inner = (*path, key)
            if key in found:
                first, _ = self.marked.keys[inner]
                self.refuse(inner, _start(event), f"is written twice, first in line {first}: keep one of the two")
            self.marked.keys.setdefault(inner, _start(event))
            found.setdefault(key, self.value(next(self.events), inner, depth + 1))
        return found

    def key(self, event: Event, path: Path) -> str:
        at = _start(event)
        if not isinstance(event, ScalarEvent):
            raise _UnreadableError("has a key that is not a plain word: a key is a name followed by a colon", at)
        text = str(event.value)
        self.check_node(event, (*path, text[:LONGEST_KEY]), at)
        if len(text) > LONGEST_KEY or not text.isprintable():
            raise _UnreadableError(f"has the key {shown(text)}: a key is a name of at most {LONGEST_KEY} characters", at)
        return text

    def scalar(self, event: ScalarEvent, path: Path, at: Position) -> Plain:
        text = str(event.value)
        self.marked.spans.setdefault(path, (event.start_mark.index, event.end_mark.index))
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            self.refuse(path, at, "holds half a character: write it out", shown(text))
        if event.style is not None:
            return text
        if text in NOTHING or text in TRUTHS:
            return TRUTHS.get(text)
        if NOT_FINITE.fullmatch(text):
            self.refuse(path, at, "must be a finite number", text)
            return None
        try:
            return Decimal(int(text, 0)) if BASED.fullmatch(text) else exact_or_text(text)
        except NotExactError as error:
            self.refuse(path, at, str(error), shown(text))
            return None


def exact_or_text(text: str) -> Decimal | str:
    number = exact_number(text)
    return text if number is None else number
