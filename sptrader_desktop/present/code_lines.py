"""What an editor does to lines of code: indentation, comments, pairs of brackets, counting as a screen does. No window is needed."""

import re
from bisect import bisect_left
from collections.abc import Sequence

PAIRS = {"(": ")", "[": "]", "{": "}"}
OPENERS = {close: opened for opened, close in PAIRS.items()}
BRACKET = re.compile(r"(?P<skipped>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*)|(?P<bracket>[()\[\]{}])")
# Farther away nobody sees the other bracket anyway, and every move of the cursor asks.
FARTHEST = 20_000
LEAVES = re.compile(r"(?:return|raise|pass|break|continue)\b")


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def indent_after(line: str, width: int) -> str:
    """Where the line that follows starts: deeper after what opens a block, in the column of the keys after a dash, out after a return."""
    indent, code = indent_of(line), line.partition(" #")[0].strip()
    while code.startswith("- "):
        rest = code[1:].lstrip(" ")
        if not re.match(r"- |[^\s:{\[\"']+:(\s|$)", rest):
            break
        indent, code = indent + " " * (len(code) - len(rest)), rest
    if code.endswith((":", "(", "[", "{")):
        return indent + " " * width
    return indent[:-width] if LEAVES.match(code) and width == 4 else indent


def toggled(lines: Sequence[str]) -> list[str]:
    """Comment signs in one column before all lines; or away, when every line that says something has one."""
    said = [line for line in lines if line.strip()]
    if said and all(line.lstrip().startswith("#") for line in said):
        return [re.sub(r"# ?", "", line, count=1) if line.strip() else line for line in lines]
    column = min((len(indent_of(line)) for line in said), default=0)
    return [f"{line[:column]}# {line[column:]}" if line.strip() else line for line in lines]


def matching_bracket(text: str, offset: int) -> tuple[int, int | None] | None:
    """The bracket at or before `offset` and its partner, None where that is missing; brackets in quotes and comments are none."""
    first = text.rfind("\n", 0, max(0, offset - FARTHEST)) + 1
    open_ones: list[int] = []
    partners: dict[int, int | None] = {}
    for found in BRACKET.finditer(text, first, offset + FARTHEST):
        at = found.start()
        if found.lastgroup != "bracket":
            continue
        if found[0] in PAIRS:
            open_ones.append(at)
            partners[at] = None
        else:
            fits = bool(open_ones) and text[open_ones[-1]] == OPENERS[found[0]]
            partners[at] = open_ones[-1] if fits else None
            if fits:
                partners[open_ones.pop()] = at
    return next(((at, partners[at]) for at in (offset, offset - 1) if at in partners), None)


class Utf16:
    """Screens count a character beyond U+FFFF as two: found once for a text, however many places are asked for."""

    def __init__(self, text: str) -> None:
        wide = () if text.isascii() or max(text) <= "\uffff" else (at for at, letter in enumerate(text) if letter > "\uffff")
        self._offsets = tuple(wide)
        self._positions = tuple(offset + before for before, offset in enumerate(self._offsets))

    def position_of(self, offset: int) -> int:
        return offset + bisect_left(self._offsets, offset)

    def offset_at(self, position: int) -> int:
        """In the middle of a character that is its own."""
        return position - bisect_left(self._positions, position)
