"""Where in the tree a cursor stands, in YAML that somebody is still writing and that no reader accepts yet.

Indentation, dashes, braces, quotes and comments are understood; everything else is words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sptrader_desktop.core.strategy_fields import Path

TOKEN = re.compile(
    r"""
      (?P<comment>(?:^|(?<=\s))\#.*)
    | (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')
    | (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<comma>,)
    | (?P<key>[^\s\[\]{},"'#:][^\[\]{},"'#:]*?\s*:(?=\s|$))
    | (?P<word>(?:[^\s\[\]{},"'#:]|:(?!\s|$))+)
    | (?P<half>["'].*)
    """,
    re.VERBOSE,
)
DASH = re.compile(r"-(?:\s+|$)")
WORD_BEFORE = re.compile(r"[\w.]*$")
WORD_AFTER = re.compile(r"[\w.]*")


@dataclass(slots=True)
class _Frame:
    """One mapping or list that is open. `indent` is its column, -1 within braces; `seen` the values written in it so far."""

    is_map: bool
    indent: int
    key: str | int | None
    seen: dict[str, str] = field(default_factory=dict)

    @property
    def is_flow(self) -> bool:
        return self.indent < 0


@dataclass(frozen=True, slots=True)
class Place:
    """`path` names the value being written, or with `is_key` the mapping that a key is being written in.

    `word` is what stands before the cursor and starts at `start`; `seen` are the values beside it and around it, innermost last.
    """

    path: Path
    is_key: bool
    word: str
    start: int
    seen: tuple[Mapping[str, str], ...] = ()
    is_comment: bool = False
    is_item: bool = False


def word_at(text: str, offset: int) -> tuple[int, int]:
    """From and to which character the word under the cursor goes."""
    line = text.rfind("\n", 0, offset) + 1
    before, after = WORD_BEFORE.search(text, line, offset), WORD_AFTER.match(text, offset)
    return (before.start() if before else offset), (after.end() if after else offset)


def place_at(text: str, offset: int) -> Place:
    """Only what stands before `offset` is looked at."""
    finder = _Finder()
    lines = text[:offset].split("\n")
    for line in lines[:-1]:
        finder.line(line)
    start, _ = word_at(text, offset)
    return finder.last(lines[-1], text[start:offset], start)


@dataclass(slots=True)
class _Finder:
    stack: list[_Frame] = field(default_factory=list)
    is_comment: bool = False

    def path(self) -> Path:
        return tuple(frame.key for frame in self.stack if frame.key is not None)

    def line(self, line: str) -> None:
        """A whole line, or as much of the last as stands before the cursor."""
        self.is_comment = False
        column = len(line) - len(line.lstrip(" "))
        rest = line[column:]
        if not self._in_flow():
            while dash := DASH.match(rest):
                self._item(column)
                column, rest = column + dash.end(), rest[dash.end() :]
        for token in TOKEN.finditer(line, column):
            self._take(token)

    def last(self, line: str, word: str, start: int) -> Place:
        self.line(line[: len(line) - len(word)])
        frame = self.stack[-1] if self.stack else None
        is_item = False
        if not self._in_flow() and (found := re.fullmatch(r"( *)((?:-\s+)*)", line[: len(line) - len(word)])):
            is_item = bool(found[2])
            self._close_to(len(found[0]), is_dash=False)
            frame = self.stack[-1] if self.stack else None
            is_key = True
            if frame is not None and frame.is_map and frame.indent == len(found[0]):
                frame.key = None
        else:
            is_key = frame is None or (frame.is_map and frame.key is None)
            is_item = frame is not None and frame.is_flow and not frame.is_map
        seen = tuple(frame.seen for frame in self.stack)
        return Place(self.path(), is_key, word, start, seen, self.is_comment, is_item)

    def _in_flow(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_flow

    def _take(self, token: re.Match[str]) -> None:
        text = token[0]
        match token.lastgroup:
            case "comment":
                self.is_comment = True
            case "open":
                self.stack.append(_Frame(text == "{", -1, None if text == "{" else 0))
            case "close" if self._in_flow():
                self.stack.pop()
            case "comma" if self._in_flow():
                frame = self.stack[-1]
                frame.key = None if frame.is_map else int(frame.key or 0) + 1
            case "key":
                self._key(text.rstrip(": "), token.start())
            case "word" | "quoted" if self.stack and isinstance(key := self.stack[-1].key, str):
                self.stack[-1].seen[key] = text.strip("\"'")

    def _key(self, name: str, column: int) -> None:
        if self._in_flow():
            if self.stack[-1].is_map:
                self.stack[-1].key = name
            return
        self._close_to(column, is_dash=False)
        if self.stack and self.stack[-1].is_map and self.stack[-1].indent == column:
            self.stack[-1].key = name
        else:
            self.stack.append(_Frame(is_map=True, indent=column, key=name))

    def _item(self, column: int) -> None:
        self._close_to(column, is_dash=True)
        if self.stack and not self.stack[-1].is_map and self.stack[-1].indent == column:
            self.stack[-1].key = int(self.stack[-1].key or 0) + 1
        else:
            self.stack.append(_Frame(is_map=False, indent=column, key=0))

    def _close_to(self, column: int, *, is_dash: bool) -> None:
        """Leave what is indented further; a key also leaves a list whose dashes stand in its column."""
        while self.stack and not self.stack[-1].is_flow:
            frame = self.stack[-1]
            if frame.indent < column or (frame.indent == column and (frame.is_map or is_dash)):
                return
            self.stack.pop()
