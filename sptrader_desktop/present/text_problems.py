"""What is wrong with a text that somebody is writing, as an editor shows it: from which character to which, and what to do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sptrader_desktop.core.errors import Problem
from sptrader_desktop.core.strategy_fields import Path

# Where a reader of YAML, and of Python, sees the end of a line.
LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
TOKEN = re.compile(r"[\w.\-]+|.")


class Stretch(NamedTuple):
    """Characters `start` to `end`, the last excluded, counted from 0 as Python does."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextProblem:
    """`line` and `column` count from 1; `nearest` is the valid name that was probably meant."""

    at: Stretch
    line: int
    column: int
    message: str
    nearest: str | None = None
    path: Path = ()


def offset_of(text: str, line: int, column: int) -> int:
    """The character at that place, or the last before it that there is."""
    starts, ends = line_edges(text)
    place = min(line, len(starts)) - 1
    return min(starts[place] + column - 1, ends[place])


@lru_cache(maxsize=1)
def line_edges(text: str) -> tuple[list[int], list[int]]:
    """Where lines start and end, found once for all problems of a text."""
    found = [match.span() for match in LINE_END.finditer(text)]
    return [0, *(end for _, end in found)], [*(start for start, _ in found), len(text)]


def placed(text: str, problem: Problem, spans: Mapping[Path, Stretch]) -> TextProblem:
    """Under the value where one is quoted, else under the word that stands there; never nothing, and never more than a line."""
    line, column = problem.line or 1, problem.column or 1
    start = offset_of(text, line, column)
    span = spans.get(problem.path)
    end = span.end if span is not None and span.start == start else _token_end(text, start)
    return TextProblem(_visible(text, start, end), line, column, problem.sentence(), problem.nearest, problem.path)


def _token_end(text: str, start: int) -> int:
    token = TOKEN.match(text, start)
    return token.end() if token else start


def _visible(text: str, start: int, end: int) -> Stretch:
    line_end = LINE_END.search(text, start)
    end = min(end, line_end.start()) if line_end else min(end, len(text))
    if end > start:
        return Stretch(start, end)
    return Stretch(max(0, start - 1), start) if start and not LINE_END.match(text, start - 1) else Stretch(start, min(start + 1, len(text)))


def line_problem(text: str, line: int, message: str) -> TextProblem:
    """Of which only the line is known: under all that the line says."""
    start = offset_of(text, line, 1)
    said = text[start:].split("\n", 1)[0]
    start += len(said) - len(said.lstrip())
    return TextProblem(_visible(text, start, start + len(said.strip())), line, 1, message)
