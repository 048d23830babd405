"""Checked columns as `Candles`, with the fingerprint of all that a run or a component can see of them: the last step of every source."""

import hashlib
from dataclasses import replace
from typing import TypeVar

import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns, FloatArray, stamp_text
from sptrader_desktop.adapters.candle_layout import PRICES
from sptrader_desktop.adapters.candle_range import Span, cut
from sptrader_desktop.core.candles import Candles, Int64Array, Prices, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.resample import too_close
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.market_hours import gaps, market_hours

Number = TypeVar("Number", Int64Array, FloatArray)


def candles_of(
    columns: Columns, instrument: Instrument, timeframe: str, side: PriceSide, source: str, *, is_synthetic: bool = False
) -> Candles:
    return Candles(
        instrument=instrument,
        timeframe=timeframe,
        bar_us=parse_timeframe(timeframe),
        timestamp=columns.timestamp,
        prices=columns.prices,
        side=side,
        ask=columns.ask,
        volume=columns.volume,
        source=source,
        fingerprint=_fingerprint(columns, instrument, timeframe, side),
        is_synthetic=is_synthetic,
    )


def part_of(candles: Candles, span: Span) -> Candles:
    """The bars that open in the span, as any source would have given them."""
    columns, _ = cut(candles.source, Columns(candles.timestamp, candles.prices, candles.ask, candles.volume), span)
    named = candles.instrument, candles.timeframe, candles.side, candles.source
    return candles_of(columns, *named, is_synthetic=candles.is_synthetic)


def with_ask(bid: Candles, ask: Candles) -> Candles:
    """Both sides of the same bars."""
    if not np.array_equal(bid.timestamp, ask.timestamp):
        odd = stamp_text(int(np.setxor1d(bid.timestamp, ask.timestamp)[0]))
        raise DataError(
            f"{bid.source}: only one of its bid and ask candles has the bar of {odd}: "
            "bring in both sides of it, or ask for a range that both hold"
        )
    columns = Columns(bid.timestamp, bid.prices, ask.prices, bid.volume)
    return candles_of(columns, bid.instrument, bid.timeframe, "bid", bid.source, is_synthetic=bid.is_synthetic)


def _fingerprint(columns: Columns, instrument: Instrument, timeframe: str, side: PriceSide) -> str:
    """Volume and tick too: components see the one, prices mean nothing without the other. SHA-256: the fastest here, processors help it."""
    head = f"{instrument.symbol} {instrument.tick.normalize():f} {timeframe} {side} {len(columns.timestamp)}"
    digest = hashlib.sha256()
    arrays: list[tuple[str, Int64Array | FloatArray | None]] = [("timestamp", columns.timestamp)]
    arrays += [(name, getattr(columns.prices, name)) for name in PRICES]
    arrays += [(f"ask_{name}", getattr(columns.ask, name)) for name in PRICES if columns.ask is not None]
    arrays.append(("volume", columns.volume))
    present = [(name, array) for name, array in arrays if array is not None]
    digest.update(f"{head} {' '.join(name for name, _ in present)}\n".encode())
    for _, array in present:
        digest.update(array.data)
    return digest.hexdigest()


def begun(made: Candles, known_from: int, step_us: int) -> Candles:
    """Without a first bar of whose time the source, which begins at `known_from`, missed a step or more while the market was open."""
    if not len(made):
        return made
    opened = int(made.timestamp[0])
    closed = market_hours(np.array([opened, max(opened, known_from)]), step_us, made.instrument.charged_every_day).closed
    if not len(gaps(np.array([opened - step_us, known_from]), step_us, closed).bars):
        return made

    def later(prices: Prices) -> Prices:
        return Prices(*(getattr(prices, name)[1:] for name in PRICES))

    ask, volume = made.ask and later(made.ask), None if made.volume is None else made.volume[1:]
    return replace(made, timestamp=made.timestamp[1:], prices=later(made.prices), ask=ask, volume=volume)


def joined(old: Candles, new: Candles) -> Candles:
    """All bars of both, in order; where both have one the new one counts. Bars that lie inside one another are refused."""
    kept = ~np.isin(old.timestamp, new.timestamp)
    stamps = np.concatenate([old.timestamp[kept], new.timestamp])
    order = np.argsort(stamps, kind="stable")
    stamps = stamps[order]
    tight = too_close(np.diff(stamps), new.bar_us)
    if tight.any():
        early, late = (stamp_text(int(stamps[int(tight.argmax()) + more])) for more in (0, 1))
        raise DataError(f"{new.source}: the {new.timeframe} bar of {late} opens inside that of {early}: remove one of the two")

    def both(mine: Number, theirs: Number) -> Number:
        return np.concatenate([mine[kept], theirs])[order]

    def four(mine: Prices, theirs: Prices) -> Prices:
        return Prices(*(both(getattr(mine, name), getattr(theirs, name)) for name in PRICES))

    columns = Columns(
        stamps,
        four(old.prices, new.prices),
        None if old.ask is None or new.ask is None else four(old.ask, new.ask),
        None if old.volume is None or new.volume is None else both(old.volume, new.volume),
    )
    return candles_of(columns, new.instrument, new.timeframe, new.side, new.source, is_synthetic=new.is_synthetic)
