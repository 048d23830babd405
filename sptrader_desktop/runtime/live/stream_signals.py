"""Between the stream's signals and those of one symbol: whose a message is, until when it is valid, which part of a bar's events.

Several events of one signal on one bar are several messages; whoever waits for all of them must know how many there are.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.signals import LIFE_US, Said
from sptrader_desktop.core.signals import Signal as Message
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.runtime.live.bars_from_prices import bar_span
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.parts import NO_EVENT, Signal

PART = "part_of_bar"  # in the metadata, `2/3`, where there are more than one


def heard(message: Message, symbols: Collection[str], now: int) -> Signal:
    """Without a symbol it belongs to the session's only one. DataError: nobody here can take it."""
    if message.timeframe is None and message.sent_at > now + LIFE_US:  # it may have waited for hours, and would not look old
        ahead = (message.sent_at - now) / SECOND_US
        raise DataError(f"its time is {ahead:,.0f} s ahead of this computer's clock, so nobody can tell how old it is")
    symbol = message.symbol or (next(iter(symbols)) if len(symbols) == 1 else "")
    if symbol not in symbols:
        traded = f"this session trades {', '.join(sorted(symbols))}"
        raise DataError(f"it is of {symbol}, and {traded}" if symbol else f"it names no symbol, and {traded}: publish it with one")
    found = Signal(
        message.id,
        message.name,
        symbol,
        message.timeframe,
        None if message.timeframe is None else message.bar_time,
        message.type if message.holds else NO_EVENT,
        float(message.strength),
        _valid_until(message),
        {name: value for name, value in message.metadata.items() if isinstance(value, str | int | float) and name != PART},
    )
    part, parts = _part(message.metadata)
    return replace(found, part=part, parts=parts)


def said(signal: Signal) -> Said:
    """An own signal, as it is published."""
    metadata: dict[str, Any] = dict(signal.metadata)
    if signal.parts > 1:
        metadata[PART] = f"{signal.part}/{signal.parts}"
    kind = signal.kind if signal.is_event else NO_EVENT
    return Said(signal.name, kind, signal.strength, metadata, signal.symbol, signal.timeframe, signal.bar_time, signal.valid_until)


def _valid_until(message: Message) -> int:
    if message.valid_until is not None:
        return message.valid_until
    if message.timeframe is None or message.bar_time is None:
        return message.sent_at + LIFE_US
    try:
        return bar_span(message.bar_time, message.timeframe)[1] + LIFE_US
    except DataError:  # no bars are made of it here: whoever expects another timeframe says so
        return message.bar_time + parse_timeframe(message.timeframe) + LIFE_US


def _part(metadata: Mapping[str, Any]) -> tuple[int, int]:
    """What does not say otherwise is the only one."""
    part, _, parts = str(metadata.get(PART, "1/1")).partition("/")
    return (int(part), int(parts)) if part.isdecimal() and parts.isdecimal() and len(part) + len(parts) < 9 else (1, 1)
