"""The questions of the import, what a file looks like and what was understood of it, and which question a refusal is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHOWN = 12  # rows of a preview


@dataclass(frozen=True, slots=True)
class ImportQuestion:
    """`choices` are values and their words; with `is_open` something else may be typed."""

    key: str
    label: str
    tip: str
    choices: tuple[tuple[str, str], ...] = ()
    is_open: bool = False


_FOUND = ("", "As found in the file")
QUESTIONS = (
    ImportQuestion("symbol", "Symbol", "When neither the rows nor the file's name say it"),
    ImportQuestion(
        "timeframe",
        "Timeframe",
        "Of the bars; of ticks, the candles to build from them",
        (_FOUND, *((text, text) for text in ("1m", "5m", "15m", "30m", "1h", "4h", "1d"))),
        is_open=True,
    ),
    ImportQuestion(
        "zone",
        "Time zone",
        "The clock the stamps were written by",
        (
            _FOUND,
            *(
                (text, text)
                for text in ("UTC", "EET", "America/New_York", "America/New_York+7", "UTC-5", "UTC+2", "UTC+3", "Europe/London", "CET")
            ),
        ),
        is_open=True,
    ),
    ImportQuestion(
        "stamp", "Stamped with", "Which end of a bar its time is", (_FOUND, ("open", "Open of the bar"), ("close", "Close of the bar"))
    ),
    ImportQuestion("dates", "Dates", "When 03/04 could be either", (_FOUND, ("day-first", "Day first"), ("month-first", "Month first"))),
    ImportQuestion("decimal", "Decimal mark", "When prices could be read two ways", (_FOUND, (".", "Point"), (",", "Comma"))),
    ImportQuestion("points", "Points", "Whether prices are whole ticks", (_FOUND, ("yes", "Yes, whole ticks"), ("no", "No, prices"))),
    ImportQuestion("side", "Side", "Which prices these are", (_FOUND, ("bid", "Bid"), ("mid", "Mid"), ("ask", "Ask"))),
    ImportQuestion(
        "layout",
        "Vendor",
        "Whose layout it is; that vendor's clock is tried first",
        (
            _FOUND,
            *(
                (name, shown)
                for name, shown in (
                    ("metatrader", "MetaTrader"),
                    ("histdata", "HistData"),
                    ("dukascopy", "Dukascopy"),
                    ("truefx", "TrueFX"),
                    ("oanda", "OANDA"),
                    ("lean", "Lean"),
                    ("plain", "Plain table"),
                )
            ),
        ),
    ),
    ImportQuestion("day", "Day", "Where stamps count from a midnight that the file does not name, such as 2014-05-01"),
)
FORCE = ImportQuestion(
    "force", "Even against the market's hours", "Time zone and stamps are taken as told, whatever the weekends in the file say"
)
_LABELS = {question.key: question.label for question in QUESTIONS} | {"force": "the tick below them", "replace": "Replace"}

ROLES = (
    ("", "not used"),
    ("stamp", "Time of the bar"),
    ("date", "Date"),
    ("time", "Time of day"),
    ("open", "Open"),
    ("high", "High"),
    ("low", "Low"),
    ("close", "Close"),
    ("volume", "Volume"),
    ("bid", "Bid (ticks)"),
    ("ask", "Ask (ticks)"),
    ("ask_open", "Ask open"),
    ("ask_high", "Ask high"),
    ("ask_low", "Ask low"),
    ("ask_close", "Ask close"),
    ("symbol", "Symbol"),
)


@dataclass(frozen=True, slots=True)
class ImportAnswers:
    """By question; what is empty is found out. `columns` are places by role, when they were mapped by hand."""

    values: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    force: bool = False


@dataclass(frozen=True, slots=True)
class ImportRefusal:
    """`key` is the question it is about, `columns` or nothing; `line` the line of the file, `replaceable` when keeping may replace."""

    sentence: str
    key: str = ""
    line: int | None = None
    replaceable: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ImportPreview:
    """A file as text, as a table, and as candles or as the refusal in their place.

    `lines` are numbered as in the file. `names` title the columns, `cells` are its first rows, `roles` the role of each column.
    `head` and `rows` are the first candles as people read them; `candles` is for whoever keeps them.
    """

    path: str
    lines: tuple[tuple[int, str], ...] = ()
    names: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()
    roles: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    refusal: ImportRefusal | None = None
    candles: Any = None


_OPTION = re.compile(r"--(symbol|timeframe|zone|stamp|dates|decimal|points|side|layout|day|force|replace)\b")
_LINE = re.compile(r"line (\d+)\b")
_HINTS = (
    ("give the symbol", "symbol"),
    ("does not say the timeframe", "timeframe"),
    ("no column is", "columns"),
    ("layout is known", "columns"),
)


def refusal_of(sentence: str, path: str) -> ImportRefusal:
    """In the window's words: the file is known there, and options are questions."""
    said = sentence.removeprefix(f"{path}: ")
    options = [key for key in _OPTION.findall(said) if key != "force"]
    hinted = next((key for words, key in _HINTS if words in said), "")
    key = options[0] if options else hinted
    line = _LINE.match(said)
    words = _OPTION.sub(lambda found: _LABELS[found[1]], said)
    words += ", or choose what each column holds" if key == "columns" else ""
    return ImportRefusal(words[:1].upper() + words[1:], "" if key == "replace" else key, int(line[1]) if line else None, key == "replace")
