"""What a run says about its candles: how many of the bars there could be, how many of them are doubtful, which trades met those."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Candles, Int64Array, Prices
from sptrader_desktop.core.tables import Table
from sptrader_desktop.present.bar_shapes import Bars, Mask, flat_runs, spikes, stale_runs
from sptrader_desktop.present.market_hours import Gaps, gaps, market_hours
from sptrader_desktop.present.numbers import counted, share

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

TOUCHING_US = HOUR_US  # a trade is told of a silence that hides so much market time; nearly all trades on minutes meet shorter ones


@dataclass(frozen=True, slots=True)
class DataQuality:
    """Of one symbol, over the range that was asked for.

    `trades` are the numbers of those held over a suspicious bar, entry and exit included, or over a long silence.
    """

    symbol: str
    expected: int
    present: int
    missing_spans: int
    longest_missing: int
    suspicious: int
    trades: tuple[int, ...]
    is_synthetic: bool = False

    @property
    def coverage(self) -> float | None:
        return self.present / self.expected if self.expected else None


_latest: tuple[ReferenceType[Table], list[DataQuality]] | None = None


def data_quality(result: "Result") -> list[DataQuality]:
    """Of the latest run it is remembered: document and report both ask, and millions of bars take their time."""
    global _latest  # noqa: PLW0603  # the run itself is not kept alive for it
    trades, known = result.outcome.trades, _latest
    if known is not None and known[0]() is trades:
        return known[1]
    found = _of_run(result, trades)
    _latest = ref(trades), found
    return found


def _of_run(result: "Result", trades: Table) -> list[DataQuality]:
    return [_of_symbol(candles, trades, np.flatnonzero(trades["symbol"] == place)) for place, candles in enumerate(result.request.traded)]


def _of_symbol(candles: Candles, trades: Table, own: NDArray[np.intp]) -> DataQuality:
    stamps, bar_us, every_day = candles.timestamp, candles.bar_us, candles.instrument.charged_every_day
    wanted, before = _as_asked(candles)
    market = market_hours(stamps, bar_us, every_day, (int(wanted[0]), int(wanted[-1])) if len(wanted) else None)
    closed = market.closed
    missing = gaps(wanted, bar_us, closed)
    missing = Gaps(missing.row - before, missing.bars)
    suspicious = suspicious_bars(candles) | market.weekends.cover(stamps, bar_us)
    present = int(np.count_nonzero(~closed.hold(stamps + bar_us // 2)))
    touched = _touched(suspicious, missing, bar_us, trades["entry_bar"][own], trades["exit_bar"][own])
    return DataQuality(
        candles.symbol,
        present + int(missing.bars.sum()),
        present,
        len(missing.bars),
        int(missing.bars.max(initial=0)),
        int(np.count_nonzero(suspicious)),
        tuple((own[touched] + 1).tolist()),
        candles.is_synthetic,
    )


def _as_asked(candles: Candles) -> tuple[Int64Array, int]:
    """Between a bar that would end where the range begins and one that would open where it ends; and how many come before the first.

    On the grid of the first and the last bar that there are: what opens between is missing.
    """
    stamps, bar_us, (start, end) = candles.timestamp, candles.bar_us, candles.asked
    if not len(stamps):
        return stamps, 0
    first, last = int(stamps[0]), int(stamps[-1])
    early = [] if start is None else [first - ((first - start) // bar_us + 1) * bar_us]
    late = [] if end is None else [last + ((end - last - 1) // bar_us + 1) * bar_us]
    return np.concatenate([np.array(early, np.int64), stamps, np.array(late, np.int64)]), len(early)


def suspicious_bars(candles: Candles) -> Mask:
    """Spikes, long runs without movement or of one bar repeated, bid above ask."""
    bid = _bars(candles.prices)
    found = spikes(bid, candles.bar_us) | flat_runs(bid, candles.bar_us) | stale_runs(bid, candles.bar_us)
    if candles.ask is not None:
        ask = _bars(candles.ask)
        found |= spikes(ask, candles.bar_us)
        for lower, upper in zip(bid, ask, strict=True):
            found |= upper < lower
    return found


def _bars(prices: Prices) -> Bars:
    return Bars(prices.open, prices.high, prices.low, prices.close)


def _touched(suspicious: Mask, missing: Gaps, bar_us: int, entry: NDArray[np.int64], leave: NDArray[np.int64]) -> Mask:
    rows = np.flatnonzero(suspicious)
    met = np.searchsorted(rows, leave, side="right") > np.searchsorted(rows, entry)
    silences = missing.row[missing.bars * bar_us >= TOUCHING_US]
    return np.asarray(met | (np.searchsorted(silences, leave) > np.searchsorted(silences, entry)))


def quality_line(found: DataQuality) -> str:
    """For the report, under the candles it is about."""
    parts = [f"coverage {share(found.coverage)}"]
    if found.missing_spans:
        parts.append(f"{counted(found.missing_spans, 'span')} missing, longest {counted(found.longest_missing, 'bar')}")
    parts.append(counted(found.suspicious, "suspicious bar") if found.suspicious else "no suspicious bar")
    if found.trades:
        parts.append(f"{counted(len(found.trades), 'trade')} touched")
    return ", ".join(parts)
