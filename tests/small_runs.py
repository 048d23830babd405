"""Runs small enough to be checked by eye: hand-drawn hourly bars, hand-set events, the real engine."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.results import Request, Result
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.terms import Commission, Terms
from sptrader_desktop.ports import Answer, ComponentJob, ComponentRunner
from sptrader_desktop.runtime.backtest import backtest
from tests.strategy_texts import parsed

HOUR_US = 3_600_000_000
FIRST = int(datetime(2024, 1, 2, 8, tzinfo=UTC).timestamp()) * 1_000_000
Event = tuple[int, str, float]

TEXT = """\
name: by_eye
version: "2"
dependencies: {signals: [signals.cross, signals.filter]}
parameters: {size: 10000, stop: 20}
entry:
  - when:
      - {signal: cross, outputs: {crossover_type: up}}
      - any: [{signal: filter, outputs: {signal_strength: "> 0.5"}}, {not: {signal: filter}}]
    action: buy
    size: {mode: units, value: parameters.size}
  - when: [{signal: cross, outputs: {crossover_type: down}}]
    action: sell
    size: {mode: units, value: 0.5}
exit:
  signal_exit: {when: [{signal: cross, outputs: {crossover_type: out}}], action: close_all}
  stop_loss: {type: pips, value: parameters.stop}
  take_profit: {type: pips, value: 30}
"""
# Open, high, low, close in points above 1.10000.
BARS = (
    (0, 10, -10, 0),
    (0, 50, -50, 40),  # bought at 0 by the event on the bar before
    (40, 350, 30, 300),  # up to the target
    (300, 310, 290, 300),
    (300, 700, 50, 400),  # bought at 300: both stop 100 and target 600 inside
    (400, 420, 380, 410),
    (410, 430, 400, 420),  # bought at 410
    (420, 450, 410, 445),
    (440, 460, 430, 450),  # left at 440 by the event on the bar before
    (450, 480, 440, 470),  # bought at 450 and held to the end
)
CROSSES: Sequence[Event] = (
    (0, "up", 0.25),
    (3, "up", 1.0),
    (5, "up", 0.5),
    (6, "up", 0.5),  # already in
    (7, "out", 0.125),
    (8, "up", 0.75),
    (9, "down", 0.0),  # half a unit is no step
)
FILTERS: Sequence[Event] = ((0, "on", 0.75), (5, "on", 1.0))


def answered(runner: ComponentRunner, job: ComponentJob) -> EventTable:
    """The events that one signal job comes to."""
    return runner.run([job])[0].events()


class SetEvents:
    """A runner that answers what the test says."""

    def __init__(self, events: Mapping[str, Sequence[Event]]) -> None:
        self._events = events

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        return [Answer(self._events_of(job)) for job in jobs]

    def _events_of(self, job: ComponentJob) -> EventTable:
        found = self._events[job.component]
        kinds = np.array([kind for _, kind, _ in found], dtype=object)
        bars, strengths = np.array([bar for bar, _, _ in found], np.int64), np.array([strength for _, _, strength in found], np.float64)
        return EventTable(bars, kinds, strengths, {"fast": bars / 2})

    def fingerprint(self, component: str) -> str:
        return f"source of {component}"


def hourly(bars: Sequence[tuple[int, int, int, int]] = BARS) -> Candles:
    columns = (np.array(column, np.int64) + 110_000 for column in zip(*bars, strict=True))
    stamps = FIRST + np.arange(len(bars), dtype=np.int64) * HOUR_US
    return Candles(CATALOGUE["EURUSD"], "1h", HOUR_US, stamps, Prices(*columns), source="folder/EURUSD_1h.csv", fingerprint="f00d")


def runner(crosses: Sequence[Event] = CROSSES) -> SetEvents:
    return SetEvents({"signals.cross": crosses, "signals.filter": FILTERS})


def request(text: str = TEXT, bars: Sequence[tuple[int, int, int, int]] = BARS, **terms: Any) -> Request:
    costs = {"commission": Commission(per_lot=Decimal("3.5"))} | terms
    return Request(strategy(text), Terms(**costs), (hourly(bars),))


def strategy(text: str = TEXT) -> Strategy:
    return parsed(text)


def small_run(crosses: Sequence[Event] = CROSSES, text: str = TEXT, **terms: Any) -> Result:
    return backtest(request(text, **terms), runner(crosses))


def be_of_version(index: Path, version: int) -> None:
    """Of a store: as one that writes this version leaves it."""
    with closing(sqlite3.connect(index)) as opened:
        opened.execute(f"PRAGMA user_version = {version}")
