"""What a results page says in sentences: the net with its certainty, the candles it rests on, what was assumed."""

from typing import TYPE_CHECKING

import numpy as np

from sptrader_desktop.present.data_quality import data_quality, quality_line
from sptrader_desktop.present.numbers import amount, clock, counted, share

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result


MOST_SYMBOLS = 3  # that are named; of more the first of them, and how many there are


def subject_line(result: "Result") -> str:
    """`ma_crossover · EURUSD 1h`: of which strategy and which candles the figures are."""
    symbols = [candles.symbol for candles in result.request.traded]
    timeframes = dict.fromkeys(candles.timeframe for candles in result.request.traded)
    named = (
        ", ".join(symbols)
        if len(symbols) <= MOST_SYMBOLS
        else f"{', '.join(symbols[: MOST_SYMBOLS - 1])} and {len(symbols) - MOST_SYMBOLS + 1} more"
    )
    return f"{result.request.strategy.name} · {named} {' and '.join(timeframes)}"


def net_line(result: "Result") -> str:
    measured, currency = result.metrics, result.request.terms.currency
    return f"Net {amount(measured.total_pnl, signed=True)} {currency} ({share(measured.total_return, signed=True)})"


def certainty_line(result: "Result") -> str:
    band, total = result.band, result.metrics.trades.total
    return certainty(band.low, band.high, band.ambiguous_trades, band.resolved_trades, total, result.request.terms.currency)


def certainty(low: int, high: int, ambiguous: int, resolved: int, total: int, currency: str) -> str:
    """How far the inside of bars leaves the net open; amounts in 1e-8 of the currency."""
    if not total:
        return "no trades"
    finer = f"; {resolved:,} resolved by finer candles" if resolved else ""
    if not ambiguous:
        return f"no trade of {total:,} is ambiguous{finer}"
    ends = f"between {amount(low, signed=True)} and {amount(high, signed=True)} {currency}"
    return f"{ends}; {ambiguous:,} of {counted(total, 'trade')} ambiguous{finer}"


def range_line(result: "Result") -> str:
    parts = []
    for candles in result.request.traded:
        span = f", {clock(int(candles.timestamp[0]))} to {clock(int(candles.timestamp[-1]))} UTC" if len(candles) else ""
        parts.append(f"{candles.symbol} {candles.timeframe}{span}, {counted(len(candles), 'bar')}")
    return "; ".join(parts)


def coverage_lines(result: "Result") -> list[str]:
    return [f"{found.symbol}: {quality_line(found)}" for found in data_quality(result)]


def ambiguous_rows(result: "Result") -> "np.ndarray[tuple[int, ...], np.dtype[np.intp]]":
    return np.flatnonzero(result.outcome.trades["ambiguous"])
