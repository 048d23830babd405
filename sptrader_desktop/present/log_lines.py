"""The log as lines: kept within a bound, chosen by level, source and words. What `logging` says becomes lines here, without secrets."""

import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from sptrader_desktop.present.secrets import without_secrets
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.zone_clock import wall_times

MOST_LINES = 20_000
MOST_CHARACTERS = 8_000_000
LONGEST_LINE = 2_000
ROOT = "sptrader."
LEVELS = {"Everything": 0, "Notes and worse": logging.INFO, "Warnings and worse": logging.WARNING, "Errors": logging.ERROR}


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at` in microseconds since 1970, UTC; one line of text."""

    at: int
    level: int
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a line must have; empty fields ask for nothing. Words may stand anywhere in it, in any order and case."""

    least: int = 0
    source: str = ""
    words: str = ""

    def chooser(self) -> Callable[[LogLine], bool]:
        least, source, wanted = self.least, self.source, self.words.casefold().split()

        def is_chosen(line: LogLine) -> bool:
            if line.level < least or (source and line.source != source):
                return False
            text = f"{line.source} {line.text}".casefold() if wanted else ""
            return all(word in text for word in wanted)

        return is_chosen


class LogLines:
    """The newest lines, within both bounds, and those of them that the filter chooses."""

    def __init__(self, most: int = MOST_LINES, most_characters: int = MOST_CHARACTERS) -> None:
        self._most, self._most_characters = most, most_characters
        self._kept: deque[LogLine] = deque()
        self._characters = 0
        self._is_chosen = LogFilter().chooser()
        self.shown: list[LogLine] = []
        self.sources: set[str] = set()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, lines: Iterable[LogLine]) -> tuple[int, int]:
        """How many shown lines went at the front, and how many came at the end."""
        before = len(self.shown)
        for line in lines:
            self._kept.append(line)
            self._characters += len(line.text)
            self.sources.add(line.source)
            if self._is_chosen(line):
                self.shown.append(line)
        came = len(self.shown) - before
        gone = self._forget_oldest()
        del self.shown[:gone]
        return min(gone, before), came - max(0, gone - before)

    def choose(self, wanted: LogFilter) -> None:
        self._is_chosen = wanted.chooser()
        self.shown = list(filter(self._is_chosen, self._kept))

    def clear(self) -> None:
        self._kept.clear()
        self.shown.clear()
        self.sources.clear()
        self._characters = 0

    def tail(self, count: int) -> list[LogLine]:
        return list(self._kept)[-count:]

    def _forget_oldest(self) -> int:
        """How many of those that went were shown."""
        gone = 0
        while len(self._kept) > self._most or self._characters > self._most_characters:
            oldest = self._kept.popleft()
            self._characters -= len(oldest.text)
            gone += self._is_chosen(oldest)
        return gone


# As text


def level_word(level: int) -> str:
    return {logging.DEBUG: "detail", logging.INFO: "note", logging.WARNING: "warning", logging.ERROR: "error"}.get(level, "error")


def line_clock(line: LogLine, zone: Zone) -> str:
    """The time of day, to the millisecond."""
    return f"{_wall(line.at, zone):%H:%M:%S.%f}"[:-3]


def line_text(line: LogLine, zone: Zone) -> str:
    return f"{_wall(line.at, zone):%Y-%m-%d} {line_clock(line, zone)} {level_word(line.level):<7} {line.source}: {line.text}"


@lru_cache(maxsize=4096)
def _wall(stamp: int, zone: Zone) -> datetime:
    return datetime.fromtimestamp(int(wall_times(np.array([stamp]), zone)[0]) / 1_000_000, UTC)


# From logging


def lines_of(record: logging.LogRecord) -> Iterator[LogLine]:
    """One for each line of what was said, and of its traceback."""
    text = _message(record)
    if record.exc_info and record.exc_info[1]:
        text += "\n" + "".join(traceback.format_exception(record.exc_info[1])).rstrip()
    at, source = int(record.created * 1_000_000), record.name.removeprefix(ROOT)
    for part in without_secrets(text).splitlines() or [""]:
        yield LogLine(at, record.levelno, source, part if len(part) <= LONGEST_LINE else f"{part[:LONGEST_LINE]}…")


def _message(record: logging.LogRecord) -> str:
    """A log line that was written wrongly must not stop whoever wrote it."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


class LogFeed(logging.Handler):
    """Gives every record on as lines, in whatever thread it was said."""

    def __init__(self, say: Callable[[LogLine], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        for line in lines_of(record):
            self._say(line)


class SafeFormatter(logging.Formatter):
    """For files: the same lines, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(line_text(line, Zone.UTC) for line in lines_of(record))
