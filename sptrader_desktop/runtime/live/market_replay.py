"""Kept candles as the market that they were: bar by bar, in the order of docs/bar-rules.md, with the calendar's and the rules' figures."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from sptrader_desktop.core.closes import close_instants
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.simulation import Job
from sptrader_desktop.core.tables import Ints

NO_DAY = -(2**40)


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
    openings, ranges = ([made(job, s, closes[s]) for s in series] for made in (_openings, _ranges))
    known = [_Known(job, s) for s in series]
    bounds = np.flatnonzero(np.diff(at[order], prepend=-1) | np.diff(opening[order], prepend=not opening[order[0]]))
    at_, opening_, of_, bar_ = at[order].tolist(), opening[order].tolist(), of[order].tolist(), bar[order].tolist()
    for first, last in zip(bounds.tolist(), [*bounds[1:].tolist(), len(order)], strict=True):
        found = of_[first:last]
        if opening_[first]:
            yield Opens(at_[first], tuple([next(openings[s]) for s in found]))
        else:
            hits = [known[s].hits(b) for s, b in zip(found, bar_[first:last], strict=True)]
            yield Closes(at_[first], tuple([next(ranges[s]) for s in found]), tuple(hits))


# Rows of one series in their order, made out of whole columns: one number out of an array costs more than a bar's whole arithmetic.


def _openings(job: Job, s: int, _closes: Ints) -> Iterator[BarOpen]:
    tape, agenda = job.tape, job.agenda
    bars, rows = slice(tape.start[s], tape.start[s + 1]), slice(agenda.start[s], agenda.start[s + 1])
    count = len(tape.time[bars])
    last, weight = np.zeros(count, np.int64), np.zeros(count, np.int64)
    last[agenda.bar[rows]] = np.arange(1, len(agenda.bar[rows]) + 1)
    weight[agenda.bar[rows]] = agenda.weight[rows]
    day = np.append(NO_DAY, agenda.day[rows])[np.maximum.accumulate(last)]  # each bar has that of the last row of the agenda
    columns = (tape.time[bars], tape.open[bars], tape.ask_open[bars], day, weight)
    return map(BarOpen._make, zip(repeat(s), *(column.tolist() for column in columns), strict=False))


def _ranges(job: Job, s: int, closes: Ints) -> Iterator[BarRange]:
    bars = slice(job.tape.start[s], job.tape.start[s + 1])
    columns = (job.tape.time[bars], closes, *(getattr(job.tape, name)[bars] for name in BarRange._fields[3:]))
    return map(BarRange._make, zip(repeat(s), *(column.tolist() for column in columns), strict=False))


class _Known:
    """What the agenda knows of the closes of one series."""

    def __init__(self, job: Job, s: int) -> None:
        agenda = job.agenda
        rows = slice(agenda.start[s], agenda.start[s + 1])
        columns = (column[rows].tolist() for column in (agenda.entries, agenda.exits, agenda.atr))
        rows_of = map(Hits._make, zip(repeat(s), *columns, strict=False))
        self._of_bar: dict[int, Hits] = dict(zip(agenda.bar[rows].tolist(), rows_of, strict=True))
        self._nothing = Hits(s, 0, 0, [float("nan")] * agenda.atr.shape[1])

    def hits(self, bar: int) -> Hits:
        return self._of_bar.get(bar, self._nothing)
