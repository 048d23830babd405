"""Which words of a line are what, for colouring: a small reader of YAML and of Python that is never surprised by half a line."""

import builtins
import keyword
import re
from enum import Enum
from typing import NamedTuple


class Role(Enum):
    COMMENT = "comment"
    KEY = "key"
    TEXT = "text"
    NUMBER = "number"
    WORD = "word"  # what the language itself means by a word
    NAME = "name"  # what is known without being written in the file
    DEFINED = "defined"


class Coloured(NamedTuple):
    start: int
    length: int
    role: Role


NUMBER = r"[-+]?(?:0[xX][0-9a-fA-F]+|0o[0-7]+|(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:[eE][-+]?\d+)?)"
YAML = re.compile(
    rf"""
      (?P<comment>(?:^|(?<=\s))\#.*)
    | (?P<text>"(?:[^"\\]|\\.)*"?|(?<![\w.])'(?:[^']|'')*'?)
    | (?P<key>[^\s\[\]{{}},"'#:][^\[\]{{}},"'#:]*?(?=\s*:(?:\s|$)))
    | (?P<name>\b(?:parameters|signals|indicators)\.[\w.]+)
    | (?P<number>(?<![\w.]){NUMBER}(?![\w.]))
    | (?P<word>(?<![\w.])(?:true|false|null|True|False|Null|TRUE|FALSE|NULL|~)(?![\w.]))
    | [^\s\[\]{{}},"'#:]+
    """,
    re.VERBOSE,
)
PYTHON = re.compile(
    rf"""
      (?P<comment>\#.*)
    | (?P<text>(?:\b[rRbBuUfFtT]{{1,2}})?(?:\"\"\"|\'\'\'|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?))
    | (?P<number>(?<![\w.]){NUMBER}[jJ]?)
    | (?P<defined>(?<=\bdef\s)\w+|(?<=\bclass\s)\w+)
    | (?P<name>@[\w.]+)
    | (?P<word>\w+)
    """,
    re.VERBOSE,
)
KEYWORDS = frozenset(keyword.kwlist) | {"match", "case"}
BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_")) | {"self", "cls"}
TRIPLES = ('"""', "'''")


def yaml_words(line: str) -> list[Coloured]:
    return [Coloured(found.start(), found.end() - found.start(), Role(found.lastgroup)) for found in YAML.finditer(line) if found.lastgroup]


def python_words(line: str, state: int) -> tuple[list[Coloured], int]:
    """`state` is what the line before ended in: 0, or inside the first or second of `TRIPLES`; the line's own comes back."""
    words: list[Coloured] = []
    at = 0
    if state > 0:
        at = _triple_end(line, 0, state)
        words.append(Coloured(0, at or len(line), Role.TEXT))
        if not at:
            return words, state
    while found := PYTHON.search(line, at):
        role, at = _python_role(found), found.end()
        opened = next((number for number, quotes in enumerate(TRIPLES, 1) if found.lastgroup == "text" and found[0].endswith(quotes)), 0)
        if opened and found[0].lstrip("rRbBuUfFtT") == TRIPLES[opened - 1]:
            end = _triple_end(line, at, opened)
            words.append(Coloured(found.start(), (end or len(line)) - found.start(), Role.TEXT))
            if not end:
                return words, opened
            at = end
        elif role is not None:
            words.append(Coloured(found.start(), at - found.start(), role))
    return words, 0


def _python_role(found: re.Match[str]) -> Role | None:
    if found.lastgroup != "word":
        return Role(found.lastgroup)
    if found[0] in KEYWORDS:
        return Role.WORD
    return Role.NAME if found[0] in BUILTINS and found.string[found.start() - 1 : found.start()] != "." else None


def _triple_end(line: str, at: int, state: int) -> int:
    """Behind the closing quotes; 0 when they are not in this line."""
    end = line.find(TRIPLES[state - 1], at)
    return end + 3 if end >= 0 else 0
