"""Checked columns as `Candles`, with the fingerprint of all that a run or a component can see of them: the last step of every source."""

import hashlib

from sptrader_desktop.adapters.candle_checks import Columns, FloatArray
from sptrader_desktop.adapters.candle_layout import PRICES
from sptrader_desktop.core.candles import Candles, Int64Array, PriceSide
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.timeframes import parse_timeframe


def candles_of(columns: Columns, instrument: Instrument, timeframe: str, side: PriceSide, source: str) -> Candles:
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
    )


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
