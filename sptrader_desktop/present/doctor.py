"""A dataset as the doctor found it, for a window: the inspection, its days, and what a repair may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from sptrader_desktop.present.clocks import WEEKDAYS
from sptrader_desktop.present.coverage_days import CoverageDays
from sptrader_desktop.present.data_findings import KINDS, SEVERITIES, Finding, Inspection
from sptrader_desktop.present.data_report import SHORT
from sptrader_desktop.present.numbers import clock, counted, iso_date, share

THIN = 0.95  # of a day's bars: below it the day is shown as one with gaps
_MONDAY = 4  # days since 1970-01-01, which was a Thursday, of the first Monday


class DayState(Enum):
    """What a cell of the calendar shows, the worse before the better; each has a letter, so that colour is not alone."""

    REFUSED = "refused"
    DOUBTFUL = "doubtful"
    EMPTY = "empty"
    THIN = "thin"
    WHOLE = "whole"
    CLOSED = "closed"


STATES = {
    DayState.WHOLE: ("", "at least 95 % of the bars"),
    DayState.THIN: ("", "fewer than 95 % of the bars"),
    DayState.EMPTY: ("×", "no bars although the market was open"),
    DayState.DOUBTFUL: ("?", "doubtful rows"),
    DayState.REFUSED: ("!", "rows that no backtest takes"),
    DayState.CLOSED: ("", "market closed"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Doctored:
    """`cells` are its days for the eye; a repair can mend `fixable` kinds, and `usual` ones without judgement. Only files are repaired."""

    inspection: Inspection
    days: CoverageDays
    cells: tuple["DayCell", ...]
    fixable: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RepairDone:
    """`changes` are rows by rule; `ledger` begins with its first lines, each with what it was before and is after."""

    out: str
    ledger_path: str
    rows_before: int
    rows_after: int
    changes: Mapping[str, int]
    ledger: tuple[tuple[str, ...], ...]
    verdict: str

    @property
    def worst(self) -> str:
        """What the verdict begins with: a severity, or `sound`."""
        return self.verdict.partition(":")[0]


@dataclass(frozen=True, slots=True)
class DayCell:
    place: int
    day: int
    opens: int
    state: DayState
    share: float
    text: str

    @property
    def weekday(self) -> int:
        return (self.day - _MONDAY) % 7

    @property
    def letter(self) -> str:
        return STATES[self.state][0]


def doctored(inspection: Inspection, days: CoverageDays, fixable: tuple[str, ...] = (), usual: tuple[str, ...] = ()) -> Doctored:
    return Doctored(inspection, days, tuple(_day_cells(inspection, days)), fixable, usual)


def _day_cells(inspection: Inspection, days: CoverageDays) -> list[DayCell]:
    """Closed days without bars are left out."""
    severities = {finding.kind: finding.severity for finding in inspection.findings}
    worst: dict[int, str] = {}
    said: dict[int, list[str]] = {}
    for severity in reversed(SEVERITIES):
        for kind, found in days.found.items():
            if severities.get(kind, KINDS[kind].severity) == severity:
                for place, count in zip(found.places.tolist(), found.counts.tolist(), strict=True):
                    worst[place] = severity
                    said.setdefault(place, []).append(f"{count:,} × {kind}")
    shown = np.flatnonzero((days.expected > 0) | (days.bars > 0)).tolist()
    return [_cell(days, place, worst.get(place, ""), said.get(place, [])) for place in shown]


def _cell(days: CoverageDays, place: int, worst: str, said: list[str]) -> DayCell:
    present, expected, bars = (int(column[place]) for column in (days.present, days.expected, days.bars))
    part = present / expected if expected else 1.0
    state = DayState.REFUSED if worst == "refused" else DayState.DOUBTFUL if worst == "doubtful" else _filled(present, expected)
    day = int(days.days[place])
    there = (
        f"{present:,} of {counted(expected, 'bar')} ({share(part, places=1)})"
        if expected
        else f"{counted(bars, 'bar')} while the market is closed"
    )
    more = f" · {', '.join(said)}" if said else ""
    return DayCell(place, day, int(days.opens[place]), state, part, f"{WEEKDAYS[(day - _MONDAY) % 7]} {iso_date(day)}: {there}{more}")


def _filled(present: int, expected: int) -> DayState:
    if not expected:
        return DayState.CLOSED
    return DayState.EMPTY if not present else DayState.THIN if present < THIN * expected else DayState.WHOLE


def calendar_words(doctored: Doctored) -> str:
    """All of the calendar in one line."""
    coverage, is_open = doctored.inspection.coverage, doctored.days.expected > 0
    empty = int(np.count_nonzero(is_open & (doctored.days.present == 0)))
    told = f"{share(coverage.share)} of {counted(coverage.expected, 'possible bar')}"
    return f"{told}; {empty:,} of {counted(int(np.count_nonzero(is_open)), 'trading day')} (17:00 New York) empty"


def repair_words(sentence: str, out: str) -> str:
    """Of a sentence made for a command line: its options are fields and ticks here."""
    words = sentence.replace(f"--out {out}: ", "New file: ").replace("--shift ", "Move ").replace("--zone ", "Zone ")
    return words.replace("add --fix ", "tick ").replace("--fix ", "")


def finding_examples(finding: Finding) -> str:
    return "; ".join(
        f"row {row.row:,} {'without time' if row.at is None else clock(row.at)} "
        + " ".join(f"{SHORT[name]} {value:.12g}" for name, value in row.values)
        for row in finding.first
    )
