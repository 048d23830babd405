"""Prices that a person wants to hear of. An alert fires once, also when the price jumps over it, and never places an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import numpy as np

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.present.column_makers import Scale, per_symbol, times, word
from sptrader_desktop.present.columns import NOTHING, Columns
from sptrader_desktop.present.numbers import Unit, doubtful_comma, typed_number
from sptrader_desktop.present.selection import Zone

Kind = Literal["at", "above", "below"]
NOT_KNOWN = "this symbol is not known: write one like EURUSD, or name your instruments file under More in Backtest"
MOST_TICKS = 2**46  # no candle has more
LEAST_TICK = Decimal("0.00000001")  # no instrument has less
KINDS: tuple[Kind, ...] = ("at", "above", "below")


class Fired(NamedTuple):
    """When, in microseconds UTC, and at which price."""

    stamp: int
    ticks: int


@dataclass(frozen=True, slots=True)
class PriceAlert:
    """`side`: where the price was seen first of what `at` waits for, −1 below, +1 above, 0 not seen yet.

    `tick` says how large its ticks are, for those of one's own instruments may change.
    """

    symbol: str
    kind: Kind
    ticks: int
    tick: Decimal
    side: int = 0
    fired: Fired | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        return self.symbol, self.kind, self.ticks

    @property
    def words(self) -> str:
        """`EURUSD at 1.08500`."""
        return f"{self.symbol} {self.kind} {self.price}"

    @property
    def price(self) -> str:
        return price_text(self.tick, self.ticks)

    def armed(self) -> "PriceAlert":
        return replace(self, side=0, fired=None)

    def seen(self, stamp: int, ticks: int) -> "PriceAlert":
        """After a price of its symbol."""
        if self.fired is not None:
            return self
        off = ticks - self.ticks
        is_there = {"above": off >= 0, "below": off <= 0, "at": off == 0 or off * self.side < 0}[self.kind]
        if is_there:
            return replace(self, fired=Fired(stamp, ticks))
        return self if self.side or self.kind != "at" else replace(self, side=1 if off > 0 else -1)

    def as_json(self) -> dict[str, Any]:
        ticks = {"ticks": self.ticks, "tick": str(self.tick)}
        return {"symbol": self.symbol, "kind": self.kind, **ticks, "side": self.side, "fired": self.fired}


Alerts = tuple[PriceAlert, ...]


def checked(alerts: Alerts, symbol: str, stamp: int, ticks: int) -> tuple[Alerts, Alerts]:
    """All of them after a price, and those that it fired. Where nothing changed they are the same object."""
    after = tuple(alert.seen(stamp, ticks) if alert.symbol == symbol else alert for alert in alerts)
    if all(new is old for new, old in zip(after, alerts, strict=True)):
        return alerts, ()
    return after, tuple(new for new, old in zip(after, alerts, strict=True) if new.fired and not old.fired)


def with_alert(alerts: Alerts, alert: PriceAlert) -> Alerts:
    """One that is there already is armed again."""
    return (*(other for other in alerts if other.key != alert.key), alert)


def in_ticks_of(alerts: Alerts, known: Mapping[str, Instrument]) -> Alerts:
    """In the ticks that prices come in now, the nearest where a price is none of them any more."""
    return tuple(_in_ticks(alert, known[alert.symbol].tick) if alert.symbol in known else alert for alert in alerts)


def _in_ticks(alert: PriceAlert, tick: Decimal) -> PriceAlert:
    if alert.tick == tick:
        return alert
    size = alert.tick / tick
    fired = None if alert.fired is None else Fired(alert.fired.stamp, _scaled(alert.fired.ticks, size))
    return replace(alert, ticks=_scaled(alert.ticks, size), tick=tick, fired=fired)


def _scaled(ticks: int, size: Decimal) -> int:
    return min(max(1, round(ticks * size)), MOST_TICKS)


def alerts_written(alerts: Alerts) -> Any:
    return [alert.as_json() for alert in alerts]


def alerts_read(held: Any) -> Alerts:
    return tuple(map(_read, held))


def _read(held: Any) -> PriceAlert:
    match held:
        case {
            "symbol": str(symbol),
            "kind": "at" | "above" | "below" as kind,
            "ticks": int(ticks),
            "side": -1 | 0 | 1 as side,
            "fired": None | [int(), int()] as fired,
        } if 0 < ticks <= MOST_TICKS and all(0 <= value < 2**62 for value in fired or ()) and (tick := tick_read(symbol, held.get("tick"))):
            return PriceAlert(symbol, kind, ticks, tick, side, None if fired is None else Fired(*fired))
    raise DataError(f"{str(held)[:80]} is no alert")


def tick_read(symbol: str, held: object) -> Decimal | None:
    """Those of the first version say none: they are of what is built in."""
    if held is None:
        return CATALOGUE[symbol].tick if symbol in CATALOGUE else None
    try:
        tick = Decimal(str(held))
    except ArithmeticError:
        return None
    return tick if tick.is_finite() and tick >= LEAST_TICK and Decimal(1) % tick == 0 else None


def typed_alert(symbol: str, kind: Kind, text: str, known: Mapping[str, Instrument] = CATALOGUE) -> PriceAlert:
    """DataError says what is wrong with the price."""
    instrument = known.get(symbol.strip().upper())
    if instrument is None:
        raise DataError(f"{symbol.strip()[:40] or 'no symbol'}: {NOT_KNOWN}")
    typed = text.strip()
    if doubt := doubtful_comma(typed):
        raise DataError(f"{typed}: {doubt}")
    try:
        ticks = typed_number(typed) / instrument.tick
    except (ValueError, ArithmeticError):
        ticks = Decimal(0)
    if not 0 < ticks <= MOST_TICKS:
        raise DataError(f"{typed[:40] or 'no price'}: write a price above zero, such as {_example(instrument)}")
    if ticks != int(ticks):
        raise DataError(f"{typed[:40]}: {instrument.symbol} moves in steps of {instrument.tick}: round the price to that")
    return PriceAlert(instrument.symbol, kind, int(ticks), instrument.tick)


def price_text(tick: Decimal, ticks: int) -> str:
    return Unit.of(tick).text(ticks)


def alert_columns(alerts: Sequence[PriceAlert], zone: Zone) -> Columns:
    symbols, states = sorted({alert.symbol for alert in alerts}), ("waiting", "fired")
    rows, scales = np.arange(len(alerts)), [_scale(alert.tick) for alert in alerts]
    prices = np.array([alert.ticks for alert in alerts], np.int64)
    fired = np.array([NOTHING if alert.fired is None else alert.fired.stamp for alert in alerts], np.int64)
    reached = np.array([NOTHING if alert.fired is None else alert.fired.ticks for alert in alerts], np.int64)
    return Columns(
        (
            word("symbol", "Symbol", np.array([symbols.index(alert.symbol) for alert in alerts], np.int64), symbols),
            word("kind", "When", np.array([KINDS.index(alert.kind) for alert in alerts], np.int64), KINDS),
            per_symbol("price", "Price", prices, rows, scales),
            word("state", "State", np.array([alert.fired is not None for alert in alerts], np.int64), states),
            times("fired", "Fired", fired, zone, "when the price came that reached it"),
            per_symbol("reached", "Reached", reached, rows, scales, "the price that fired it"),
        )
    )


def _scale(tick: Decimal) -> Scale:
    """An alert keeps its own tick: those of one's own instruments may change."""
    text = Unit.of(tick).text
    return Scale(float(1 / tick), text, text)


def _example(instrument: Instrument) -> str:
    return price_text(instrument.tick, int(Decimal("1.085") / instrument.tick))
