"""What was marked in a candle file as the records that people and windows read: counts, first rows, the rule with its numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from sptrader_desktop.adapters.candle_checks import LATTICE_TOLERANCE
from sptrader_desktop.adapters.candle_inspection import REAL_VOLUME, WIDE, Examined, examine
from sptrader_desktop.adapters.candle_layout import ASK_PRICES
from sptrader_desktop.adapters.candle_raw_table import Rows
from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.present.bar_shapes import BLOCK, long_run, spike_threshold
from sptrader_desktop.present.coverage_days import CoverageDays, coverage_days
from sptrader_desktop.present.data_findings import KINDS, Coverage, Finding, Inspection, ShownRow, Span
from sptrader_desktop.present.market_hours import MINUTE_US
from sptrader_desktop.present.numbers import counted, duration, plain

SHOWN = 3
OF_THE_FILE = {"timeframe", "columns", "time_zone", "close_stamped", "clock_jump"}
HOLE_US = DAY_US  # so much market time without bars is more than thin trading
LEAST_COVERAGE = 0.95  # below it short gaps add up to a hole; bars under a minute are made by quotes, and quotes may be few


def inspect_candles(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, instruments: Mapping[str, Instrument] = CATALOGUE
) -> Inspection:
    return inspection_of(examine(path, symbol=symbol, timeframe=timeframe, instruments=instruments))


def inspection_of(examined: Examined) -> Inspection:
    table, hours = examined.table, examined.hours
    stamps = table.stamps[table.has_time]
    return Inspection(
        source=examined.source,
        symbol=examined.instrument.symbol,
        timeframe=examined.timeframe,
        bar_us=examined.bar_us,
        rows=len(table),
        first=int(stamps.min()) if len(stamps) else None,
        last=int(stamps.max()) if len(stamps) else None,
        has_ask=ASK_PRICES[0] in table.prices,
        zero_ranges=examined.zero_ranges,
        coverage=Coverage(hours.expected, hours.present, _spans(examined, hours.gap_row, hours.gap_bars)),
        findings=tuple(sorted(_findings(examined), key=lambda finding: list(KINDS).index(finding.kind))),
    )


def days_of(examined: Examined) -> CoverageDays:
    """On the corrected clock; kinds that are of the whole file are of no day."""
    stamps, hours = examined.table.stamps, examined.hours
    if len(hours.stamps) == len(examined.by_time):
        stamps = stamps.copy()
        stamps[examined.by_time] = hours.stamps
    has_time = examined.table.has_time
    marked = {kind: stamps[rows[has_time[rows]]] for kind, rows in examined.marks.items() if kind not in OF_THE_FILE}
    return coverage_days(hours.stamps, examined.bar_us, examined.instrument.charged_every_day, marked)


def _spans(examined: Examined, rows: Rows, bars: Int64Array) -> tuple[Span, ...]:
    stamps = examined.hours.stamps
    order = np.lexsort((rows, -bars))
    starts, ends = stamps[rows[order]] + examined.bar_us, stamps[rows[order] + 1]
    return tuple(map(Span, starts.tolist(), ends.tolist(), bars[order].tolist()))


def _findings(examined: Examined) -> Iterator[Finding]:
    rules = _rules(examined)
    for kind, rows in examined.marks.items():
        if len(rows):
            shown = np.partition(rows, min(SHOWN, len(rows)) - 1)[:SHOWN]
            is_refused = kind == "decimal_shift" and examined.shifts_refused
            yield Finding(kind, len(rows), _shown(examined, np.sort(shown)), rules[kind], is_refused)
    if not len(examined.table):
        return
    yield from _silences(examined)


def _silences(examined: Examined) -> Iterator[Finding]:
    hours, bar_us = examined.hours, examined.bar_us
    hole = max(HOLE_US, 2 * bar_us)
    is_hole = hours.gap_bars * bar_us >= hole
    share = hours.present / hours.expected if hours.expected else 1.0
    if bar_us >= MINUTE_US and share < LEAST_COVERAGE and int(hours.gap_bars.sum()) * bar_us >= hole:
        is_hole[:] = True
    rule = f"{duration(hole / HOUR_US)} of market time in one piece, or in all where less than {LEAST_COVERAGE:.0%} of the bars are there"
    for kind, rows, bars, said in (
        ("hole", hours.gap_row[is_hole], hours.gap_bars[is_hole], rule),
        ("gap", hours.gap_row[~is_hole], hours.gap_bars[~is_hole], ""),
        ("holiday", hours.holiday_row, hours.holiday_bars, "from noon of the eve to 20:00 of the day, New York"),
    ):
        if len(rows):
            total = f"{counted(int(bars.sum()), 'bar')} in all"
            yield Finding(kind, len(rows), _before(examined, rows), f"{said}; {total}" if said else total)
    if hours.daily_break:
        yield Finding("daily_break", 1, (), f"{hours.daily_break // MINUTE_US} min after 17:00 in New York, on nearly every day")


def _before(examined: Examined, rows: Rows) -> tuple[ShownRow, ...]:
    """The rows before the first silences; on a clock that was corrected rows and silences may be numbered apart."""
    if len(examined.hours.stamps) != len(examined.by_time):
        return ()
    return _shown(examined, examined.by_time[rows[:SHOWN]])


def _shown(examined: Examined, rows: Rows) -> tuple[ShownRow, ...]:
    table = examined.table
    return tuple(
        ShownRow(
            row + 1,
            int(table.stamps[row]) if table.has_time[row] else None,
            tuple((name, float(column[row])) for name, column in table.columns.items()),
        )
        for row in rows.tolist()
    )


def _rules(examined: Examined) -> dict[str, str]:
    """Kinds whose rule is clear from what they are say nothing more than how many there may be: none."""
    instrument, bar_us = examined.instrument, examined.bar_us
    run, tick = counted(long_run(bar_us), "bar"), plain(instrument.tick)
    return dict.fromkeys(KINDS, "there may be none") | {
        "timeframe": f"stated {examined.timeframe}, but bars stand {duration(bar_us / HOUR_US)} apart",
        "repeated_hour": "the stamps go back by an hour and on from there",
        "overlap": f"less than {duration(bar_us / HOUR_US)} after the open of the bar before",
        "decimal_shift": "ten, a hundred … times the prices around it, or a part of them",
        "off_tick": f"more than {LATTICE_TOLERANCE:.0%} of a tick of {tick} away from it",
        "columns": f"open, high, low and close fit when read as {', '.join(examined.columns)}",
        "swapped": "high below low, and all is well when they are exchanged",
        "range": "high below or low above another price of the bar",
        "time_zone": _zone_rule(examined),
        "clock_jump": _jump_rule(examined),
        "close_stamped": "the last stamp of a week is 17:00 on Friday in New York, and 17:00 on Sunday has none"
        + ("; a clock an hour ahead looks the same" if bar_us == HOUR_US else ""),
        "weekend": "wholly between 17:00 on Friday and 17:00 on Sunday in New York",
        "spike": f"beyond both neighbours by more than {spike_threshold(bar_us):.0f} typical ranges (medians of {BLOCK} bars)",
        "flat": f"at least {run} at one price",
        "stale": f"at least {run} with the same four prices",
        "filled": f"one price and volume 0, while {REAL_VOLUME:.0%} of the bars have volume",
        "crossed": "an ask price below its bid price",
        "wide_spread": f"more than {WIDE} times the usual spread of {examined.notes.get('usual_spread', 0):.6g}",
    }


def _zone_rule(examined: Examined) -> str:
    found = examined.clock
    if found is None:
        return ""
    return (
        f"{found.fitting} of {found.weekends} weekends begin and end at 17:00 in New York when the stamps are read as the clock of "
        f"{' or '.join(found.zones)}, {found.fitting_utc} as UTC"
    )


def _jump_rule(examined: Examined) -> str:
    jumps = examined.jumps
    hours = sorted({jump.hours for jump in jumps})
    return f"{counted(len(jumps), 'week')} open and close {', '.join(f'{hour:+d} h' for hour in hours)} from where the other weeks do"
