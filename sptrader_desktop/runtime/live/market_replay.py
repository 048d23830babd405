"""Kept candles as the market that they were: bar by bar, in the order of docs/bar-rules.md, with the calendar's and the rules' figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sptrader_desktop.core.closes import close_instants
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.simulation import Job


@dataclass(frozen=True, slots=True)
class Opens:
    at: int
    bars: tuple[BarOpen, ...]


@dataclass(frozen=True, slots=True)
class Closes:
    """`bars` and what the calendar-bound agenda knew of them; who evaluates rules by himself leaves `hits` alone."""

    at: int
    bars: tuple[BarRange, ...]
    hits: tuple[Hits, ...]


def market(job: Job) -> Iterator[Opens | Closes]:
    """Every instant of a run: closes before opens where both fall together."""
    tape, series = job.tape, range(len(job.tape.start) - 1)
    opens = [tape.time[tape.start[s] : tape.start[s + 1]] for s in series]
    closes = [close_instants(tape, s) for s in series]
    at = np.concatenate([column for s in series for column in (closes[s], opens[s])])
    opening = np.concatenate([np.repeat([False, True], len(opens[s])) for s in series])
    of = np.concatenate([np.full(2 * len(opens[s]), s) for s in series])
    bar = np.concatenate([np.tile(np.arange(len(opens[s])), 2) for s in series])
    order = np.lexsort((of, opening, at))
    rows = _Rows(job, closes)
    bounds = np.flatnonzero(np.diff(at[order], prepend=-1) | np.diff(opening[order], prepend=not opening[order[0]]))
    at_, opening_, of_, bar_ = at[order].tolist(), opening[order].tolist(), of[order].tolist(), bar[order].tolist()
    for first, last in zip(bounds.tolist(), [*bounds[1:].tolist(), len(order)], strict=True):
        found = list(zip(of_[first:last], bar_[first:last], strict=True))
        if opening_[first]:
            yield Opens(at_[first], tuple(rows.opening(s, b) for s, b in found))
        else:
            yield Closes(at_[first], tuple(rows.closing(s, b) for s, b in found), tuple(rows.hits(s, b) for s, b in found))


class _Rows:
    """Plain lists of everything: one number out of an array costs more than a bar's whole arithmetic."""

    def __init__(self, job: Job, closes: Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]]) -> None:
        tape, agenda = job.tape, job.agenda
        names = ("open", "high", "low", "close", "ask_open", "ask_high", "ask_low", "ask_close")
        self._start, self._time = tape.start.tolist(), tape.time.tolist()
        self._prices = list(zip(*(getattr(tape, name).tolist() for name in names), strict=True))
        self._closes = [column.tolist() for column in closes]
        self._agenda: list[dict[int, int]] = []
        for s in range(len(self._start) - 1):
            rows = range(int(agenda.start[s]), int(agenda.start[s + 1]))
            self._agenda.append(dict(zip(agenda.bar[rows.start : rows.stop].tolist(), rows, strict=True)))
        self._day, self._weight = agenda.day.tolist(), agenda.weight.tolist()
        self._entries, self._exits, self._atr = agenda.entries.tolist(), agenda.exits.tolist(), agenda.atr.tolist()
        self._no_atr = [float("nan")] * agenda.atr.shape[1]
        self._days = [-(2**40)] * len(self._agenda)

    def opening(self, s: int, bar: int) -> BarOpen:
        at = self._start[s] + bar
        row = self._agenda[s].get(bar)
        if row is not None:
            self._days[s] = self._day[row]
        prices = self._prices[at]
        return BarOpen(s, self._time[at], prices[0], prices[4], self._days[s], 0 if row is None else self._weight[row])

    def closing(self, s: int, bar: int) -> BarRange:
        at = self._start[s] + bar
        return BarRange(s, self._time[at], self._closes[s][bar], *self._prices[at])

    def hits(self, s: int, bar: int) -> Hits:
        row = self._agenda[s].get(bar)
        if row is None:
            return Hits(s, 0, 0, self._no_atr)
        return Hits(s, self._entries[row], self._exits[row], self._atr[row])
