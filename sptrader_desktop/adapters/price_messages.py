"""One entry of `prices:live` as prices of one symbol: a number, or bid and ask with a time, as old and new publishers send them.

The entry is one JSON object under a name of ENVELOPES, or each symbol is a field of its own. A price without a time has that of its entry.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from sptrader_desktop.adapters.candle_checks import EARLIEST_S, LATEST_S, LATTICE_TOLERANCE, MAX_TICKS
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.ports import LivePrice

STREAM = "prices:live"
ENVELOPES = ("data", "prices", "payload", "message")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Quote:
    """In ticks; without `ask` the price is a mid."""

    stamp: int
    price: int
    ask: int | None

    @property
    def kind(self) -> str:
        return "numbers" if self.ask is None else "bid and ask"


class MalformedError(ValueError):
    """Says which rule the message breaks."""


def quote_in(fields: Mapping[bytes, bytes], entry_us: int, symbol: str, ticks_per_one: int) -> Quote | None:
    """None where the entry has no price of this symbol."""
    found = _object(fields, symbol)
    if found is None:
        return None
    if not isinstance(found, dict):
        return Quote(_possible(entry_us), _ticks(found, ticks_per_one), None)
    if "bid" not in found or "ask" not in found:
        raise MalformedError("neither a number nor bid and ask")
    stamp = _stamp(found["time"]) if found.get("time") is not None else entry_us
    return Quote(_possible(stamp), _ticks(found["bid"], ticks_per_one), _ticks(found["ask"], ticks_per_one))


def prices_in(
    entry: tuple[bytes, Mapping[bytes, bytes]], symbols: Collection[str], instruments: Mapping[str, Instrument], now: int
) -> list[LivePrice]:
    """Of the symbols that are known. What cannot be understood is none: the realtime window counts it. An entry that is there is not of a
    time to come, whatever the server's clock says."""
    name, fields = entry
    came = min(entry_order(name)[0] * 1_000, now)
    found = []
    for symbol in symbols:
        instrument = instruments.get(symbol)
        if instrument is None:
            continue
        try:
            quote = quote_in(fields, came, symbol, instrument.ticks_per_one)
        except MalformedError:
            continue
        if quote is not None:
            found.append(LivePrice(symbol, quote.stamp, quote.price, quote.ask))
    return found


def entry_order(name: bytes | str) -> tuple[int, int]:
    """Of an entry's id: milliseconds, and a number within them."""
    milliseconds, _, number = (name if isinstance(name, str) else name.decode()).partition("-")
    return int(milliseconds), int(number or 0)


def _object(fields: Mapping[bytes, bytes], symbol: str) -> Any:
    envelope = next((name.encode() for name in ENVELOPES if name.encode() in fields), None)
    text = fields.get(envelope or symbol.encode())
    if text is None:
        return None
    if len(text) > _LONGEST:
        raise MalformedError("longer than a mebibyte")
    try:
        found = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        raise MalformedError("not JSON") from None
    if envelope is None:
        return found
    if not isinstance(found, dict):
        raise MalformedError("not a JSON object of symbols")
    return found.get(symbol)


def _ticks(value: Any, ticks_per_one: int) -> int:
    """A float that was printed carries noise far below a tick; a price between two ticks is another matter."""
    try:
        ratio = Decimal(value) * ticks_per_one if isinstance(value, Decimal | str) else Decimal("NaN")
    except DecimalException:
        ratio = Decimal("NaN")
    if not ratio.is_finite() or not 0 < ratio <= MAX_TICKS:
        raise MalformedError("not a price")
    whole = round(ratio)
    if not whole or abs(ratio - whole) > LATTICE_TOLERANCE:
        raise MalformedError("between two ticks")
    return whole


def _stamp(value: Any) -> int:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise MalformedError("its time is not like 2024-01-02T17:00:00Z") from None
    if at.tzinfo is None:
        raise MalformedError("its time has no zone")
    return (at - _EPOCH) // timedelta(microseconds=1)


def _possible(stamp: int) -> int:
    if not EARLIEST_S <= stamp // 1_000_000 < LATEST_S:
        raise MalformedError("its time lies outside the years 1900 to 2200")
    return stamp
