"""Kept candles as the market that they were: bar by bar, in the order of docs/bar-rules.md, with the calendar's and the rules' figures."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, count, islice, repeat
from typing import TypeVar

import numpy as np

from sptrader_desktop.core.closes import close_instants
from sptrader_desktop.core.facts import BarsClosed, BarsOpened
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.simulation import Job
from sptrader_desktop.core.tables import Ints

NO_DAY = -(2**40)
Row = TypeVar("Row")


def market(job: Job) -> Iterator[tuple[BarsOpened | BarsClosed, Sequence[Hits]]]:
    """Every instant of a run, closes before opens where both fall together; with closes what the agenda knew of them, which who evaluates
    rules by himself leaves alone."""
    tape, series = job.tape, range(len(job.tape.start) - 1)
    opens = [tape.time[tape.start[s] : tape.start[s + 1]] for s in series]
    closes = [close_instants(tape, s) for s in series]
    at = np.concatenate([column for s in series for column in (closes[s], opens[s])])
    opening = np.concatenate([np.repeat([False, True], len(opens[s])) for s in series])
    of = np.concatenate([np.full(2 * len(opens[s]), s) for s in series])
    order = np.lexsort((of, opening, at))
    opened, closed = of[order][opening[order]], of[order][~opening[order]]
    openings = _in_turn([_openings(job, s) for s in series], opened)
    ranges = _in_turn([_ranges(job, s, closes[s]) for s in series], closed)
    known = _in_turn([_known(job, s) for s in series], closed)
    bounds = np.flatnonzero(np.diff(at[order], prepend=-1) | np.diff(opening[order], prepend=not opening[order[0]]))
    firsts = order[bounds]
    columns = at[firsts], opening[firsts], np.diff(bounds, append=len(order))
    for moment, is_opening, bars in zip(*map(_numbers, columns), strict=True):
        if is_opening:
            yield BarsOpened(moment, tuple(islice(openings, bars))), ()
        else:
            yield BarsClosed(moment, tuple(islice(ranges, bars))), tuple(islice(known, bars))


# Rows of one series in their order, made out of whole columns: one number out of an array costs more than a bar's whole arithmetic.


def _numbers(column: Ints) -> Iterator[int]:
    """A few at a time: whole columns of Python's numbers are larger than the caches."""
    return chain.from_iterable(column[at : at + 1000].tolist() for at in range(0, len(column), 1000))


def _in_turn(rows: Sequence[Iterator[Row]], of: Ints) -> Iterator[Row]:
    """The next row of each series in `of`."""
    return map(next, map(rows.__getitem__, _numbers(of)))


def _openings(job: Job, s: int) -> Iterator[BarOpen]:
    tape, agenda = job.tape, job.agenda
    bars, rows = slice(tape.start[s], tape.start[s + 1]), slice(agenda.start[s], agenda.start[s + 1])
    last, weight = np.zeros((2, len(tape.time[bars])), np.int64)
    last[agenda.bar[rows]] = np.arange(1, len(agenda.bar[rows]) + 1)
    weight[agenda.bar[rows]] = agenda.weight[rows]
    day = np.append(NO_DAY, agenda.day[rows])[np.maximum.accumulate(last)]  # each bar has that of the last row of the agenda
    columns = (tape.time[bars], tape.open[bars], tape.ask_open[bars], day, weight)
    return map(partial(tuple.__new__, BarOpen), zip(repeat(s), *map(_numbers, columns), strict=False))


def _ranges(job: Job, s: int, closes: Ints) -> Iterator[BarRange]:
    bars = slice(job.tape.start[s], job.tape.start[s + 1])
    columns = (job.tape.time[bars], closes, *(getattr(job.tape, name)[bars] for name in BarRange._fields[3:]))
    return map(partial(tuple.__new__, BarRange), zip(repeat(s), *map(_numbers, columns), strict=False))


def _known(job: Job, s: int) -> Iterator[Hits]:
    """What the agenda knows of each close; of most it knows nothing."""
    agenda = job.agenda
    rows = slice(agenda.start[s], agenda.start[s + 1])
    columns = (column[rows].tolist() for column in (agenda.entries, agenda.exits, agenda.atr))
    of_bar = dict(zip(agenda.bar[rows].tolist(), map(Hits._make, zip(repeat(s), *columns, strict=False)), strict=True))
    return map(of_bar.get, count(), repeat(Hits(s, 0, 0, [float("nan")] * agenda.atr.shape[1])))
