"""The terms of a run that are not the strategy's: money, costs, fill convention."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

FillConvention = Literal["next_open", "close"]
IntrabarPolicy = Literal["stop_first", "target_first"]


@dataclass(frozen=True, slots=True)
class Commission:
    """Per fill, in account currency: `per_lot` for each lot, `percent` of notional (a fraction), at least `minimum`."""

    per_lot: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """Spread and slippage are pips of each symbol and must come to whole ticks; spread is ignored where candles carry both sides."""

    capital: Decimal = Decimal(10_000)
    currency: str = "USD"
    fill: FillConvention = "next_open"
    intrabar: IntrabarPolicy = "stop_first"
    spread_pips: Decimal = Decimal(0)
    slippage_pips: Decimal = Decimal(0)
    commission: Commission = Commission()
    leverage: Decimal = Decimal(30)
