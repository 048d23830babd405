"""What one run of a component came to, for its author: its values or events, what it printed, and whether it is honest."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.present.column_makers import ratio, times, word
from sptrader_desktop.present.columns import Column, Columns
from sptrader_desktop.present.listing import codes
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.selection import Zone

if TYPE_CHECKING:
    from sptrader_desktop.ports import Answer, Values


class Found(Protocol):
    """One check and what it found; `is_honest` is nothing where it could not be asked."""

    @property
    def check(self) -> str: ...

    @property
    def is_honest(self) -> bool | None: ...

    @property
    def text(self) -> str: ...


class Judged(Protocol):
    """What trying a component for honesty came to."""

    @property
    def spec(self) -> ComponentSpec: ...

    @property
    def findings(self) -> Sequence[Found]: ...

    @property
    def is_honest(self) -> bool: ...

    @property
    def coverage(self) -> str: ...

    def sentences(self) -> Sequence[str]: ...


# What people read; programs get every digit.
PLACES = 6
NO_TABLE = Columns()
MARKS = {True: "✓", False: "✗", None: "–"}


@dataclass(frozen=True, slots=True)
class Linked:
    """A sentence, and the line of the component that it is about."""

    text: str
    line: int | None = None
    is_bad: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ComponentReport:
    title: str
    table: Columns = NO_TABLE
    printed: tuple[Linked, ...] = ()
    findings: tuple[Linked, ...] = ()
    is_bad: bool = False


def component_report(spec: ComponentSpec, candles: Candles, answer: "Answer", zone: Zone = Zone.UTC) -> ComponentReport:
    printed = tuple(_printed(answer, Path(spec.source)))
    if isinstance(answer.result, ComponentError):
        errors = tuple(linked(line, Path(spec.source), is_bad=True) for line in str(answer.result).splitlines())
        return ComponentReport(f"{spec.dotted} failed", printed=(*errors, *printed), is_bad=True)
    over = f"{spec.dotted} on {candles.symbol} {candles.timeframe}, {counted(len(candles), 'bar')}"
    if isinstance(answer.result, EventTable):
        return ComponentReport(f"{over}: {counted(len(answer.result), 'event')}", _events(answer.result, candles, zone), printed)
    return ComponentReport(f"{over}: {_known(answer.result)}", _values(answer.result, candles, zone), printed)


def failure_report(title: str, message: str, source: Path) -> ComponentReport:
    """Of what could not even be tried."""
    return ComponentReport(title, printed=tuple(linked(line, source, is_bad=True) for line in message.splitlines()), is_bad=True)


def honesty_report(verdict: Judged) -> ComponentReport:
    sentences = iter(verdict.sentences())
    source = Path(verdict.spec.source)
    findings = []
    for finding in verdict.findings:
        said = next(sentences) if finding.is_honest is False else finding.text
        sentence = linked(said, source)
        findings.append(Linked(f"{MARKS[finding.is_honest]} {finding.check}: {sentence.text}", sentence.line, finding.is_honest is False))
    state = "can be traded on" if verdict.is_honest else "cannot be traded on"
    return ComponentReport(f"{verdict.spec.dotted} {state}, {verdict.coverage}", findings=tuple(findings), is_bad=not verdict.is_honest)


def linked(text: str, source: Path, *, is_bad: bool = False) -> Linked:
    """`…/sma.py:12: sentence` and the lines of a traceback lead to their line, when they are about `source`."""
    found = re.match(r"(?P<file>.+?\.py):(?P<line>\d+): (?P<said>.*)", text, re.DOTALL)
    if found and Path(found["file"]).name == source.name:
        return Linked(found["said"], int(found["line"]), is_bad)
    found = re.match(r'\s*File "(?P<file>.+)", line (?P<line>\d+)', text)
    if found and Path(found["file"]).name == source.name:
        return Linked(text, int(found["line"]), is_bad)
    return Linked(text, None, is_bad)


def _printed(answer: "Answer", source: Path) -> Iterator[Linked]:
    yield from (Linked(line) for line in answer.stdout.splitlines())
    yield from (linked(line, source, is_bad=True) for line in answer.stderr.splitlines())


def _known(values: "Values") -> str:
    parts = [f"{name} on {int(np.count_nonzero(~np.isnan(column))):,}" for name, column in values.items()]
    return ", ".join(parts)


def _values(values: "Values", candles: Candles, zone: Zone) -> Columns:
    bar = times("timestamp", "Bar", candles.timestamp, zone, "the bar's open")
    return Columns((bar, *(_number(name, column) for name, column in values.items())))


def _events(events: EventTable, candles: Candles, zone: Zone) -> Columns:
    kinds, words = codes(events.type.tolist())
    return Columns(
        (
            times("timestamp", "Bar", candles.timestamp[events.bar], zone, "the open of the bar it was computed from"),
            word("type", "Type", kinds, words),
            ratio("strength", "Strength", events.strength, "", places=PLACES),
            *(_output(name, column) for name, column in events.metadata.items()),
        )
    )


def _number(name: str, column: NDArray[np.float64]) -> Column:
    return ratio(name, name, column, "", places=PLACES)


def _output(name: str, column: NDArray[Any]) -> Column:
    if column.dtype.kind == "f":
        return _number(name, column)
    texts: Sequence[str] = ["" if value is None else str(value) for value in column.tolist()]
    return word(name, name, *codes(list(texts)))
